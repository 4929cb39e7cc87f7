//! One followed file and what was last said about it.

use std::path::Path;
use std::time::Instant;

use crate::base::Hash;

use super::text::{Stamp, Trouble, read, stamp};
use super::{Seen, WatchLimits};

#[derive(Debug)]
pub struct Followed {
    /// Of the text that was last told.
    known: Option<Hash>,
    /// Length, times of change and identity when it was last read: a poll reads nothing while they stay.
    stamp: Option<Stamp>,
    /// At the last look, read or not.
    glance: Option<Stamp>,
    trouble_since: Option<Instant>,
    /// As it was last told.
    trouble: Option<Trouble>,
}

/// What a look has found.
#[derive(Debug)]
pub enum Found {
    /// What has been told already.
    Known,
    New(Seen),
    /// It changes under our eyes, or has been away for so short that a save may be on its way.
    Unsettled,
}

impl Followed {
    /// Without a hash, whoever follows it has been told already why it cannot be read.
    pub fn new(path: &Path, known: Option<Hash>, limits: WatchLimits) -> Followed {
        let trouble = if known.is_some() { None } else { read(path, limits.text_bytes_max).err() };
        Followed { known, stamp: None, glance: None, trouble_since: None, trouble }
    }

    pub fn looks_different(&self, path: &Path) -> bool {
        stamp(path) != self.stamp || self.trouble_since.is_some() && self.trouble.is_none()
    }

    /// Where `stands_still`, it is read only if it looks as it did at the last look: nobody says that a writer has closed it.
    pub fn look(&mut self, path: &Path, now: Instant, limits: WatchLimits, stands_still: bool) -> Found {
        let before = stamp(path);
        let moved = std::mem::replace(&mut self.glance, before) != before;
        if moved && stands_still {
            return Found::Unsettled;
        }
        let found = read(path, limits.text_bytes_max);
        if stamp(path) != before {
            return Found::Unsettled;
        }
        self.stamp = before;
        match found {
            Ok(text) => self.text(text),
            Err(trouble) => self.trouble(trouble, now, limits),
        }
    }

    fn text(&mut self, text: String) -> Found {
        self.trouble_since = None;
        let is_back = self.trouble.is_some();
        if self.known == Some(Hash::of_bytes(text.as_bytes())) && !is_back {
            return Found::Known;
        }
        Found::New(Seen::Text(text.into()))
    }

    fn trouble(&mut self, trouble: Trouble, now: Instant, limits: WatchLimits) -> Found {
        if self.trouble.as_ref() == Some(&trouble) {
            return Found::Known;
        }
        let since = *self.trouble_since.get_or_insert(now);
        if now < since + limits.patience { Found::Unsettled } else { Found::New(Seen::Trouble(trouble)) }
    }

    /// It has been told.
    pub fn said(&mut self, seen: &Seen) {
        match seen {
            Seen::Text(text) => {
                self.known = Some(Hash::of_bytes(text.as_bytes()));
                self.trouble = None;
            }
            Seen::Trouble(trouble) => self.trouble = Some(trouble.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Bench {
        folder: tempfile::TempDir,
        file: Followed,
        now: Instant,
    }

    impl Bench {
        fn new() -> Bench {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("text"), "one").unwrap();
            let known = Some(Hash::of_bytes(b"one"));
            let file = Followed::new(&folder.path().join("text"), known, WatchLimits::default());
            Bench { folder, file, now: Instant::now() }
        }

        fn write(&self, text: &str) {
            fs::write(self.folder.path().join("text"), text).unwrap();
        }

        fn look(&mut self, stands_still: bool) -> Found {
            self.file.look(&self.folder.path().join("text"), self.now, WatchLimits::default(), stands_still)
        }
    }

    fn text(found: &Found) -> Option<&str> {
        match found {
            Found::New(Seen::Text(text)) => Some(text),
            Found::New(Seen::Trouble(_)) | Found::Known | Found::Unsettled => None,
        }
    }

    #[test]
    fn a_file_that_grows_between_two_looks_is_not_read_yet() {
        let mut bench = Bench::new();
        bench.look(false);
        for half in ["fi", "first", "first half"] {
            bench.write(half);
            assert!(matches!(bench.look(true), Found::Unsettled), "{half}");
        }
        assert_eq!(text(&bench.look(true)), Some("first half"));
    }

    #[test]
    fn other_contents_under_the_same_stamp_are_found_by_reading() {
        let mut bench = Bench::new();
        bench.look(false);
        bench.write("two");
        bench.file.stamp = stamp(&bench.folder.path().join("text"));
        assert!(!bench.file.looks_different(&bench.folder.path().join("text")));
        assert_eq!(text(&bench.look(false)), Some("two"));
    }

    #[test]
    fn patience_with_an_empty_file_ends() {
        let mut bench = Bench::new();
        bench.write("");
        assert!(matches!(bench.look(false), Found::Unsettled));
        bench.now += WatchLimits::default().patience;
        assert!(matches!(bench.look(false), Found::New(Seen::Trouble(Trouble::Empty))));
        bench.file.said(&Seen::Trouble(Trouble::Empty));
        assert!(matches!(bench.look(false), Found::Known));
        bench.write("one");
        assert_eq!(text(&bench.look(false)), Some("one"), "it is back, with the text of before");
    }
}
