//! The plans that a run has carried out, each in a file of its own: what was changed, why, when, and everything that is needed
//! to show it and to go back to it.
//!
//! ```text
//! STATE/plans/000012.plan       one frame: JSON, packed with zstd
//! STATE/plans/.000012.new       one that is being written; without its name it does not count
//! ```
//!
//! A plan is written before its cut, without the ordinal (it is *open* then), and again behind it. A process that ends in
//! between leaves an open plan, and the log knows whether it took place.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Hash, Name, Time};
use crate::node::Ordinal;
use crate::plan::Graph;

use super::files::Files;
use super::frame::{self, Next, framed};

/// Plans that are kept; with another one the oldest goes.
pub const PLANS_MAX: usize = 200;
/// The same in bytes, as they are on disk. The last plan stays whatever its size.
pub const PLANS_BYTES_MAX: u64 = 32 << 20;
/// Things that changed that are named in one plan; of more, only the number.
pub const CHANGES_MAX: usize = 200;

const ENDING: &str = ".plan";

/// One plan without what makes it large.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// From 1, each once.
    pub number: u64,
    pub time: Time,
    pub cause: Cause,
    /// Rows from this one on see it. None while it is open.
    pub at: Option<Ordinal>,
    /// How long nothing was processed, and how long it took from its cause on, in microseconds.
    pub pause_us: u64,
    pub took_us: u64,
    pub changes: Vec<ChangeLine>,
    /// Changes that are not named.
    pub more: usize,
    /// Who answers for which task from here on.
    pub models: BTreeMap<Name, Answering>,
    /// Where the file says something else than what runs from here on: which text and which graph it says.
    pub aside: Option<Aside>,
    /// Names that declarations had before, by their new ones.
    pub was: BTreeMap<Name, Name>,
}

/// What brought a plan about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// The first one, or the file was another when it was started again.
    Started,
    /// The file was saved, or one that it reads.
    Edited,
    /// Somebody went back to a plan.
    Undone { to: u64 },
    /// Another model answers, or none.
    Promoted { task: Name, version: Option<String> },
    /// It went back by itself, for these reasons.
    RolledBack { to: u64, why: String },
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeLine {
    pub name: String,
    /// As the language names it.
    pub class: String,
    /// Why, and what became of what it remembers; empty where there is nothing to say.
    pub why: String,
}

/// A model that answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answering {
    pub version: String,
    pub family: String,
    pub metric: Option<(String, f64)>,
    /// Of the features that it was trained with.
    pub closure: Hash,
}

/// What the file says while something else runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    pub text: Hash,
    pub graph: Hash,
}

/// A plan as it can be shown and gone back to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WholePlan {
    pub plan: Plan,
    /// The file as it was.
    pub text: Arc<str>,
    /// As the file meant it then.
    pub graph: Graph,
}

/// The plans of one state folder.
pub struct Plans {
    state: PathBuf,
    files: Arc<dyn Files>,
    /// Oldest first.
    known: Vec<(Plan, u64)>,
    /// In bytes.
    most: u64,
}

impl Plans {
    /// What is there, as far as it can be read: a damaged plan is passed over, and named in `damaged`.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn open(state: &Path, files: Arc<dyn Files>, mut damaged: impl FnMut(&Path, String)) -> io::Result<Plans> {
        let mut known = Vec::new();
        for number in numbers(state)? {
            match load(state, number) {
                Ok((whole, bytes)) => known.push((whole.plan, bytes)),
                Err(why) => damaged(&place(state, number), why),
            }
        }
        Ok(Plans { state: state.to_owned(), files, known, most: PLANS_BYTES_MAX })
    }

    /// Oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Plan> {
        self.known.iter().map(|(plan, _)| plan)
    }

    pub fn last(&self) -> Option<&Plan> {
        self.known.last().map(|(plan, _)| plan)
    }

    /// A number that no plan has had.
    pub fn next_number(&self) -> u64 {
        let there = numbers(&self.state).ok().and_then(|all| all.last().copied());
        self.last().map(|plan| plan.number).max(there).map_or(1, |last| last + 1)
    }

    /// # Errors
    /// In words: it cannot be read any more.
    pub fn load(&self, number: u64) -> Result<WholePlan, String> {
        load(&self.state, number).map(|(whole, _)| whole)
    }

    /// Writes a plan, in place of one with the same number, and lets go of the oldest ones where there are too many.
    ///
    /// # Errors
    /// If it cannot be written; then what was there stands.
    pub fn put(&mut self, whole: &WholePlan) -> io::Result<()> {
        let number = whole.plan.number;
        let bytes = framed(&pack(whole)?);
        let (folder, place) = (folder(&self.state), place(&self.state, number));
        let aside = folder.join(format!(".{number:06}.new"));
        self.files.create_folder(&folder)?;
        self.files.write(&aside, &bytes)?;
        self.files.sync(&aside)?;
        self.files.rename(&aside, &place)?;
        self.files.sync_folder(&folder)?;
        self.known.retain(|(plan, _)| plan.number != number);
        self.known.push((whole.plan.clone(), bytes.len() as u64));
        self.trim()
    }

    /// It did not take place.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn drop_open(&mut self, number: u64) -> io::Result<()> {
        self.known.retain(|(plan, _)| plan.number != number);
        self.files.remove_file(&place(&self.state, number))
    }

    fn trim(&mut self) -> io::Result<()> {
        let most = self.most;
        let is_over =
            |known: &[(Plan, u64)]| known.len() > PLANS_MAX || known.iter().map(|(_, bytes)| bytes).sum::<u64>() > most;
        while self.known.len() > 1 && is_over(&self.known) {
            self.files.remove_file(&place(&self.state, self.known[0].0.number))?;
            self.known.remove(0);
        }
        Ok(())
    }
}

pub fn folder(state: &Path) -> PathBuf {
    state.join("plans")
}

fn place(state: &Path, number: u64) -> PathBuf {
    folder(state).join(format!("{number:06}{ENDING}"))
}

/// Oldest first.
fn numbers(state: &Path) -> io::Result<Vec<u64>> {
    let names = super::epochs::names(&folder(state))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.strip_suffix(ENDING)?.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn pack(whole: &WholePlan) -> io::Result<Vec<u8>> {
    let text = serde_json::to_vec(whole).expect("plain data always serialises");
    zstd::encode_all(&text[..], 3)
}

/// With its size on disk.
fn load(state: &Path, number: u64) -> Result<(WholePlan, u64), String> {
    let path = place(state, number);
    let read = |error: io::Error| error.to_string();
    let bytes = fs::metadata(&path).map_err(read)?.len();
    let mut file = BufReader::new(File::open(&path).map_err(read)?);
    let packed = match frame::next(&mut file).map_err(read)? {
        Next::Frame(packed) => packed,
        Next::End | Next::Torn => return Err("it is not whole".to_owned()),
    };
    let whole: WholePlan =
        serde_json::from_reader(zstd::Decoder::new(&packed[..]).map_err(read)?).map_err(|error| error.to_string())?;
    if whole.plan.number == number { Ok((whole, bytes)) } else { Err(format!("it is plan {}", whole.plan.number)) }
}

impl Cause {
    /// The plan that is meant, where it went back to one.
    pub fn back_to(&self) -> Option<u64> {
        match self {
            Cause::Undone { to } | Cause::RolledBack { to, .. } => Some(*to),
            Cause::Started | Cause::Edited | Cause::Promoted { .. } => None,
        }
    }
}

impl Plan {
    /// Has it not been said yet whether it took place?
    pub fn is_open(&self) -> bool {
        self.at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::Disk;
    use super::*;

    fn whole(number: u64, text: &str) -> WholePlan {
        let line = ChangeLine { name: "air.stuffy".into(), class: "retuned".into(), why: "`fresh` 1 → 2".into() };
        let plan = Plan {
            number,
            time: Time(5),
            cause: Cause::Undone { to: 1 },
            at: Some(Ordinal(7)),
            pause_us: 3,
            took_us: 9,
            changes: vec![line],
            more: 0,
            models: BTreeMap::new(),
            aside: Some(Aside { text: Hash::of_bytes(b"t"), graph: Hash::ZERO }),
            was: BTreeMap::new(),
        };
        WholePlan { plan, text: text.into(), graph: Graph::default() }
    }

    fn open(state: &Path) -> Plans {
        Plans::open(state, Arc::new(Disk), |path, why| panic!("{}: {why}", path.display())).unwrap()
    }

    #[test]
    fn what_is_kept_is_what_was_written_and_the_oldest_go() {
        let state = tempfile::tempdir().unwrap();
        let mut plans = open(state.path());
        assert_eq!((plans.next_number(), plans.last()), (1, None));
        let last = PLANS_MAX as u64 + 3;
        (1..=last).for_each(|number| plans.put(&whole(number, "# text")).unwrap());
        let again = open(state.path());
        for plans in [&plans, &again] {
            assert_eq!(plans.all().map(|plan| plan.number).collect::<Vec<_>>(), (4..=last).collect::<Vec<_>>());
            assert_eq!(plans.load(last), Ok(whole(last, "# text")));
            assert_eq!(plans.next_number(), last + 1);
            assert!(plans.load(3).is_err());
        }
    }

    #[test]
    fn large_ones_push_out_more_and_the_last_stays() {
        let state = tempfile::tempdir().unwrap();
        let mut plans = Plans { most: 1_000, ..open(state.path()) };
        // Text that does not pack.
        let text = |seed: u64, rows: u64| (0..rows).map(|row| Hash::of(&(seed, row)).to_string()).collect::<String>();
        (1..=4).for_each(|number| plans.put(&whole(number, &text(number, 10))).unwrap());
        let kept: u64 = plans.known.iter().map(|(_, bytes)| bytes).sum();
        assert!(kept <= 1_000 && (1..4).contains(&plans.known.len()), "{kept}");
        plans.put(&whole(5, &text(5, 100))).unwrap();
        assert_eq!(open(state.path()).all().map(|plan| plan.number).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn a_damaged_plan_is_passed_over_and_named_and_its_number_is_not_used_again() {
        let state = tempfile::tempdir().unwrap();
        let mut plans = open(state.path());
        (1..=3).for_each(|number| plans.put(&whole(number, "text")).unwrap());
        let mut bytes = fs::read(place(state.path(), 3)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(place(state.path(), 3), bytes).unwrap();
        let mut named = Vec::new();
        let plans = Plans::open(state.path(), Arc::new(Disk), |path, why| named.push((path.to_owned(), why))).unwrap();
        assert_eq!(named, [(place(state.path(), 3), "it is not whole".to_owned())]);
        assert_eq!((plans.last().unwrap().number, plans.next_number()), (2, 4));
    }

    #[test]
    fn an_open_plan_that_did_not_take_place_is_gone() {
        let state = tempfile::tempdir().unwrap();
        let mut plans = open(state.path());
        let mut one = whole(1, "text");
        one.plan.at = None;
        plans.put(&one).unwrap();
        assert!(open(state.path()).last().unwrap().is_open());
        plans.drop_open(1).unwrap();
        assert_eq!(open(state.path()).last(), None);
    }
}
