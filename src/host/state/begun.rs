//! Files that sinks have begun and that may be in no epoch yet: the log of every epoch says it again, so that a restart from there
//! finds what is to be undone.

use std::collections::VecDeque;
use std::path::Path;

use crate::io::FileMark;

/// Files that are remembered; more are not begun between two epochs.
const BEGUN_MAX: usize = 4_096;

#[derive(Debug, Default)]
pub struct Begun(VecDeque<One>);

#[derive(Debug)]
struct One {
    mark: FileMark,
    /// Was it seen on the disk? One that was and is not any more has its name, or was undone.
    seen: bool,
    /// Epochs since.
    epochs: u32,
}

impl Begun {
    pub fn begin(&mut self, mark: FileMark) {
        if self.0.len() == BEGUN_MAX {
            self.0.pop_front();
        }
        self.0.push_back(One { mark, seen: false, epochs: 0 });
    }

    /// Those that the log of another epoch has to name.
    pub fn next_epoch(&mut self) -> Vec<FileMark> {
        for one in &mut self.0 {
            one.epochs += 1;
        }
        self.0.retain_mut(|one| {
            let is_there = Path::new(one.mark.written()).exists();
            let gone = one.seen && !is_there;
            one.seen |= is_there;
            match one.mark {
                // By the epoch after next its sink's own mark names it; and cutting it back then would take what stands.
                FileMark::Grown { .. } => one.epochs == 1,
                FileMark::Segment { .. } => !gone,
            }
        });
        self.0.iter().map(|one| one.mark.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_named_until_it_has_its_name_and_a_file_that_grows_once() {
        let folder = tempfile::tempdir().unwrap();
        let aside = folder.path().join(".1.part");
        let segment = FileMark::Segment { aside: aside.display().to_string(), path: "1".into() };
        let grown = FileMark::Grown { path: "out.jsonl".into(), bytes: 0, identity: None };
        let mut begun = Begun::default();
        begun.begin(segment.clone());
        begun.begin(grown.clone());
        assert_eq!(begun.next_epoch(), [segment.clone(), grown]);
        std::fs::write(&aside, "").unwrap();
        for _ in 0..2 {
            assert_eq!(begun.next_epoch(), std::slice::from_ref(&segment));
        }
        std::fs::remove_file(&aside).unwrap();
        assert_eq!(begun.next_epoch(), []);
    }
}
