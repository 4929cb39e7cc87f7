//! Who serves, since when by whose wish, and who did before: one small file per task, replaced in one step.
//!
//! ```text
//! occupancy-3                  the version that serves
//! chosen under 5f0c…           the goal and requirements by which it was chosen
//! by hand                      somebody wanted this one; choosing again by the same policy leaves it
//! pinned                       and nothing takes its place until somebody unpins it
//! before occupancy-2           who served before, the last one first
//! ```

use std::fmt;

use crate::base::{Hash, Name};

use super::files::{read, replace};
use super::{Registry, RegistryError, Version, damaged};

const CHAMPION: &str = "champion";
const UNDER: &str = "chosen under ";
const BY_HAND: &str = "by hand";
const PINNED: &str = "pinned";
const BEFORE: &str = "before ";
/// Champions of before that are remembered by name.
const BEFORE_MAX: usize = 50;

/// The champion of a task, and how it became so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reign {
    pub champion: Version,
    /// The goal and requirements by which it was chosen, as a hash; None where nobody wrote them down.
    pub under: Option<Hash>,
    /// Did somebody want this very version?
    pub by_hand: bool,
    /// Does nothing take its place until somebody says so?
    pub pinned: bool,
    /// Who served before, the last one first.
    pub before: Vec<Version>,
}

impl Reign {
    /// Of a version that was chosen by a goal and requirements, after `before`.
    pub fn chosen(champion: Version, under: Hash, before: Option<Reign>) -> Reign {
        let before = before.map(|reign| reign.followed_by(&champion)).unwrap_or_default();
        Reign { champion, under: Some(under), by_hand: false, pinned: false, before }
    }

    /// Is this version to stay, under a policy with this goal and these requirements, whatever else was measured?
    pub fn is_wanted(&self, choice: Hash) -> bool {
        self.pinned || self.by_hand && self.under == Some(choice)
    }

    /// Those who served before `next` does.
    fn followed_by(self, next: &Version) -> Vec<Version> {
        if self.champion == *next {
            return self.before;
        }
        std::iter::once(self.champion).chain(self.before).take(BEFORE_MAX).collect()
    }

    /// None if its first line is no version.
    fn parse(text: &str) -> Option<Reign> {
        let mut lines = text.lines().map(str::trim);
        let champion = lines.next()?.parse().ok()?;
        let mut reign = Reign { champion, under: None, by_hand: false, pinned: false, before: Vec::new() };
        for line in lines {
            match line {
                BY_HAND => reign.by_hand = true,
                PINNED => reign.pinned = true,
                _ => {
                    reign.under = reign.under.or_else(|| line.strip_prefix(UNDER)?.parse().ok());
                    reign.before.extend(line.strip_prefix(BEFORE).and_then(|version| version.parse().ok()));
                }
            }
        }
        Some(reign)
    }
}

impl fmt::Display for Reign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reign { champion, under, by_hand, pinned, before } = self;
        writeln!(f, "{champion}")?;
        under.iter().try_for_each(|under| writeln!(f, "{UNDER}{under}"))?;
        let marks = [(*by_hand, BY_HAND), (*pinned, PINNED)];
        marks.iter().filter(|(is, _)| *is).try_for_each(|(_, mark)| writeln!(f, "{mark}"))?;
        before.iter().try_for_each(|version| writeln!(f, "{BEFORE}{version}"))
    }
}

impl Registry {
    /// None before the first champion.
    pub fn reign(&self, task: &str) -> Result<Option<Reign>, RegistryError> {
        let path = self.root.join(task).join(CHAMPION);
        if !path.exists() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&read(&path)?).into_owned();
        Reign::parse(&text).map(Some).ok_or_else(|| damaged(&path, "it names no version"))
    }

    /// The version that serves; None before the first.
    pub fn champion(&self, task: &str) -> Result<Option<Version>, RegistryError> {
        Ok(self.reign(task)?.map(|reign| reign.champion))
    }

    /// `under` is the hash of the goal and requirements by which it was chosen. A pinned champion stays, and false is given.
    pub fn set_champion(&self, version: &Version, under: Hash) -> Result<bool, RegistryError> {
        match self.reign(&version.task)? {
            Some(reign) if reign.champion != *version && reign.pinned => Ok(false),
            // Whoever stays keeps the marks that it has.
            Some(reign) if reign.champion == *version && reign.is_wanted(under) => Ok(true),
            before => self.set_reign(&Reign::chosen(version.clone(), under, before)).map(|()| true),
        }
    }

    pub fn set_reign(&self, reign: &Reign) -> Result<(), RegistryError> {
        replace(&self.root.join(&*reign.champion.task).join(CHAMPION), reign.to_string().as_bytes())
    }

    /// The version that is pinned, if one is.
    pub fn pinned(&self, task: &Name) -> Result<Option<Version>, RegistryError> {
        Ok(self.reign(task)?.filter(|reign| reign.pinned).map(|reign| reign.champion))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(number: u32) -> Version {
        Version { task: "room".into(), number }
    }

    #[test]
    fn a_file_of_before_is_read() {
        let reign = Reign::parse("room-3\nchosen under 00000000000000000000000000000000\n").unwrap();
        assert_eq!((reign.champion, reign.by_hand, reign.pinned, reign.before.len()), (version(3), false, false, 0));
        assert_eq!((Reign::parse(""), Reign::parse("nonsense\n")), (None, None));
    }

    #[test]
    fn a_pinned_champion_is_not_replaced_and_whoever_is_is_remembered() {
        let state = tempfile::tempdir().unwrap();
        let registry = Registry::at(state.path());
        std::fs::create_dir_all(state.path().join("models/room")).unwrap();
        assert_eq!(registry.set_champion(&version(1), Hash::ZERO), Ok(true));
        assert_eq!(registry.set_champion(&version(2), Hash::ZERO), Ok(true));
        assert_eq!(registry.set_champion(&version(2), Hash::ZERO), Ok(true));
        let reign = registry.reign("room").unwrap().unwrap();
        assert_eq!((&reign.champion, &reign.before), (&version(2), &vec![version(1)]));
        registry.set_reign(&Reign { pinned: true, ..reign }).unwrap();
        assert_eq!(registry.set_champion(&version(3), Hash::ZERO), Ok(false));
        assert_eq!(registry.pinned(&"room".into()), Ok(Some(version(2))));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            number in 1_u32..1000,
            under in any::<Option<u8>>(),
            by_hand: bool,
            pinned: bool,
            before in prop::collection::vec(1_u32..1000, 0..5),
        ) {
            let under = under.map(|seed| Hash::of_bytes(&[seed]));
            let before = before.into_iter().map(version).collect();
            let reign = Reign { champion: version(number), under, by_hand, pinned, before };
            prop_assert_eq!(Reign::parse(&reign.to_string()), Some(reign));
        }
    }
}
