//! What a run has carried out so far: written down before each cut and behind it, and the way back.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::base::{Hash, Name, Time};
use crate::diag::{Code, Diagnostic};
use crate::node::Ordinal;
use crate::plan::{Diff, Graph};

use super::state::plans::{Answering, Aside, CHANGES_MAX, Cause, ChangeLine, Plan, Plans, WholePlan};
use super::state::{Files, unwritten};

/// The plans of a run. Without a state folder none are kept, and there is no way back.
pub struct History {
    kept: Option<Plans>,
    folder: std::path::PathBuf,
    /// Written before its cut, which is still to come.
    open: Option<WholePlan>,
}

/// A plan before its cut.
pub struct Draft<'a> {
    pub cause: Cause,
    pub text: &'a Arc<str>,
    pub graph: &'a Graph,
    pub aside: Option<Aside>,
}

/// What came of a cut.
#[derive(Default)]
pub struct Outcome {
    pub at: Ordinal,
    pub pause_us: u64,
    pub took_us: u64,
    pub changes: Vec<ChangeLine>,
    pub was: BTreeMap<Name, Name>,
    pub models: BTreeMap<Name, Answering>,
}

impl Aside {
    pub fn of(text: &str, graph: &Graph) -> Aside {
        Aside { text: Hash::of_bytes(text.as_bytes()), graph: Hash::of(graph) }
    }
}

impl History {
    pub fn none() -> History {
        History { kept: None, folder: std::path::PathBuf::new(), open: None }
    }

    /// What former processes have left, with what of it cannot be read.
    pub fn open(state: &Path, files: Arc<dyn Files>) -> (History, Vec<Diagnostic>) {
        let mut wrong = Vec::new();
        let kept = Plans::open(state, files, |path, why| wrong.push(unreadable(path, &why)));
        let kept = kept.map_err(|error| wrong.push(unreadable(state, &error.to_string()))).ok();
        (History { kept, folder: state.to_owned(), open: None }, wrong)
    }

    /// An open plan that the former process left took place if the graph that was found, and since when it ran, is its own.
    pub fn resolve(&mut self, found: Option<&(Graph, Ordinal)>) -> Option<Diagnostic> {
        let (state, kept) = (&self.folder, self.kept.as_mut()?);
        let number = kept.last().filter(|plan| plan.is_open())?.number;
        let whole = kept.load(number).ok();
        let took_place = whole.zip(found).filter(|(whole, (graph, _))| whole.graph == *graph);
        let done = match took_place {
            Some((mut whole, (_, at))) => {
                whole.plan.at = Some(*at);
                kept.put(&whole)
            }
            None => kept.drop_open(number),
        };
        done.err().map(|error| unwritten(state, error))
    }

    /// The plan that is to run although the file says something else: somebody has gone back to it, and the file has not
    /// changed since.
    pub fn aside(&self, text: &str, graph: &Graph) -> Option<WholePlan> {
        let plan = self.last()?;
        (plan.aside? == Aside::of(text, graph)).then(|| self.load(plan.number).ok()).flatten()
    }

    /// Models that answer because somebody has gone back to them, if this graph runs.
    pub fn held(&self, graph: &Graph) -> BTreeMap<Name, Answering> {
        let back = self.last().filter(|plan| plan.cause.back_to().is_some());
        let whole = back.and_then(|plan| self.load(plan.number).ok()).filter(|whole| whole.graph == *graph);
        whole.map(|whole| whole.plan.models).unwrap_or_default()
    }

    pub fn last(&self) -> Option<&Plan> {
        self.kept.as_ref()?.last()
    }

    pub fn number(&self) -> Option<u64> {
        self.last().map(|plan| plan.number)
    }

    /// # Errors
    /// If it is not kept, or cannot be read any more.
    pub fn load(&self, number: u64) -> Result<WholePlan, Diagnostic> {
        let Some(kept) = &self.kept else { return Err(no_such_plan(number, None)) };
        let (oldest, newest) = (kept.all().next(), kept.last());
        if !kept.all().any(|plan| plan.number == number) {
            return Err(no_such_plan(number, oldest.zip(newest).map(|(first, last)| (first.number, last.number))));
        }
        kept.load(number).map_err(|why| unreadable(&self.folder, &format!("plan {number}: {why}")))
    }

    /// The plan that is meant by the newest one: where that went back to another, the other.
    pub fn now(&self) -> Option<u64> {
        self.meant(self.number()?)
    }

    fn meant(&self, number: u64) -> Option<u64> {
        let mut at = number;
        // A plan goes back to older ones only, so this ends.
        while let Some(to) = self.plan(at).and_then(|plan| plan.cause.back_to()).filter(|to| *to < at) {
            at = to;
        }
        Some(at)
    }

    fn plan(&self, number: u64) -> Option<&Plan> {
        self.kept.as_ref()?.all().find(|plan| plan.number == number)
    }

    /// The plan before the one that runs.
    pub fn before(&self) -> Option<u64> {
        let now = self.now()?;
        let before = self.kept.as_ref()?.all().rev().find(|plan| plan.number < now)?.number;
        self.meant(before)
    }

    /// By the name that a declaration had in this plan: its name now, where that is another.
    pub fn names_since(&self, number: u64) -> BTreeMap<Name, Name> {
        let mut now: BTreeMap<Name, Name> = BTreeMap::new();
        let since = self.kept.iter().flat_map(Plans::all).filter(|plan| plan.number > number);
        for (new, old) in since.flat_map(|plan| &plan.was) {
            let first = now.iter().find(|(_, name)| *name == old).map(|(first, _)| first.clone());
            now.insert(first.unwrap_or_else(|| old.clone()), new.clone());
        }
        now.retain(|then, now| then != now);
        now
    }

    /// Written down before it takes place; without that it may not.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn begin(&mut self, draft: Draft) -> Result<(), Diagnostic> {
        let Some(kept) = &mut self.kept else { return Ok(()) };
        let Draft { cause, text, graph, aside } = draft;
        let plan = Plan {
            number: kept.next_number(),
            time: Time(chrono::Utc::now().timestamp_micros()),
            cause,
            at: None,
            pause_us: 0,
            took_us: 0,
            changes: Vec::new(),
            more: 0,
            models: BTreeMap::new(),
            aside,
            was: BTreeMap::new(),
        };
        let whole = WholePlan { plan, text: text.clone(), graph: graph.clone() };
        kept.put(&whole).map_err(|error| unwritten(&self.folder, error))?;
        self.open = Some(whole);
        Ok(())
    }

    /// Of the plan that is about to take place.
    pub fn open_number(&self) -> Option<u64> {
        self.open.as_ref().map(|whole| whole.plan.number)
    }

    /// It took place.
    pub fn settle(&mut self, outcome: Outcome) -> Option<Diagnostic> {
        let mut whole = self.open.take()?;
        let Outcome { at, pause_us, took_us, mut changes, was, models } = outcome;
        whole.plan.more = changes.len().saturating_sub(CHANGES_MAX);
        changes.truncate(CHANGES_MAX);
        let plan = Plan { at: Some(at), pause_us, took_us, changes, was, models, ..whole.plan };
        let put = self.kept.as_mut()?.put(&WholePlan { plan, ..whole });
        put.err().map(|error| unwritten(&self.folder, error))
    }

    /// It did not take place.
    pub fn abandon(&mut self) -> Option<Diagnostic> {
        let number = self.open.take()?.plan.number;
        self.kept.as_mut()?.drop_open(number).err().map(|error| unwritten(&self.folder, error))
    }
}

/// What changed, and the names that declarations had before, by their new ones.
pub fn changes(diff: &Diff) -> (Vec<ChangeLine>, BTreeMap<Name, Name>) {
    let line = |listed: crate::plan::Listed| ChangeLine {
        class: listed.class.word().to_owned(),
        why: listed.reason(),
        name: listed.name,
    };
    let renamed = diff.renames.iter().map(|rename| ChangeLine {
        name: rename.to.to_string(),
        class: "renamed".to_owned(),
        why: format!("was `{}`", rename.from),
    });
    let was = diff.renames.iter().map(|rename| (rename.to.clone(), rename.from.clone())).collect();
    (renamed.chain(diff.listed().into_iter().map(line)).collect(), was)
}

fn unreadable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::new(Code::R0203, format!("a plan in `{}` cannot be read: {why}", path.display()))
        .help("it cannot be gone back to; what runs is not touched by that")
}

fn no_such_plan(number: u64, kept: Option<(u64, u64)>) -> Diagnostic {
    let message = match kept {
        Some((first, last)) => format!("there is no plan {number}; kept are {first} to {last}"),
        None => format!("there is no plan {number}; this run keeps none"),
    };
    Diagnostic::new(Code::R0203, message).help("`mliot history` lists them")
}

#[cfg(test)]
mod tests {
    use super::super::state::Disk;
    use super::*;

    struct Kept {
        state: tempfile::TempDir,
        history: History,
    }

    impl Kept {
        fn new() -> Kept {
            let state = tempfile::tempdir().unwrap();
            let history = open(state.path());
            Kept { state, history }
        }

        fn plan(&mut self, cause: Cause, was: &[(&str, &str)]) {
            let (text, graph) = (Arc::from("text"), Graph::default());
            self.history.begin(Draft { cause, text: &text, graph: &graph, aside: None }).unwrap();
            let was = was.iter().map(|(new, old)| (Name::from(*new), Name::from(*old))).collect();
            assert_eq!(self.history.settle(Outcome { at: Ordinal(9), was, ..Outcome::default() }), None);
        }
    }

    fn open(state: &Path) -> History {
        let (history, wrong) = History::open(state, Arc::new(Disk));
        assert_eq!(wrong, []);
        history
    }

    #[test]
    fn ways_back_lead_further_back_and_not_round_in_circles() {
        let mut kept = Kept::new();
        assert_eq!((kept.history.now(), kept.history.before()), (None, None));
        kept.plan(Cause::Started, &[]);
        assert_eq!((kept.history.now(), kept.history.before()), (Some(1), None));
        kept.plan(Cause::Edited, &[]);
        kept.plan(Cause::Edited, &[]);
        kept.plan(Cause::Undone { to: 2 }, &[]);
        assert_eq!((kept.history.now(), kept.history.before()), (Some(2), Some(1)));
        kept.plan(Cause::Undone { to: 1 }, &[]);
        assert_eq!((kept.history.now(), kept.history.before()), (Some(1), None));
        // An edit behind ways back: the plan before it is what they led to.
        kept.plan(Cause::Edited, &[]);
        assert_eq!((kept.history.now(), kept.history.before()), (Some(6), Some(1)));
        kept.plan(Cause::RolledBack { to: 1, why: "worse".into() }, &[]);
        assert_eq!((open(kept.state.path()).now(), kept.history.number()), (Some(1), Some(7)));
    }

    #[test]
    fn names_are_followed_from_a_plan_to_now() {
        let mut kept = Kept::new();
        kept.plan(Cause::Started, &[]);
        kept.plan(Cause::Edited, &[("mean", "level"), ("b", "a")]);
        kept.plan(Cause::Edited, &[("average", "mean")]);
        kept.plan(Cause::Undone { to: 1 }, &[("a", "b")]);
        let since = |number| kept.history.names_since(number);
        let names = |pairs: &[(&str, &str)]| pairs.iter().map(|(then, now)| ((*then).into(), (*now).into())).collect();
        assert_eq!(since(1), names(&[("level", "average")]), "what is called as then is not named");
        assert_eq!(since(2), names(&[("b", "a"), ("mean", "average")]));
        assert_eq!(since(4), names(&[]));
    }

    #[test]
    fn a_plan_that_was_open_when_its_process_ended_took_place_if_its_graph_ran() {
        for (found, took_place) in [(Some(Graph::default()), true), (None, false)] {
            let mut kept = Kept::new();
            kept.plan(Cause::Started, &[]);
            let (text, graph) = (Arc::from("text"), Graph::default());
            kept.history.begin(Draft { cause: Cause::Edited, text: &text, graph: &graph, aside: None }).unwrap();
            let mut again = open(kept.state.path());
            assert_eq!(again.resolve(found.map(|graph| (graph, Ordinal(33))).as_ref()), None);
            let at = again.last().map(|plan| (plan.number, plan.at));
            assert_eq!(at, Some(if took_place { (2, Some(Ordinal(33))) } else { (1, Some(Ordinal(9))) }));
            assert_eq!(open(kept.state.path()).last(), again.last());
        }
    }

    #[test]
    fn a_plan_that_did_not_take_place_leaves_no_trace() {
        let mut kept = Kept::new();
        kept.plan(Cause::Started, &[]);
        let (text, graph) = (Arc::from("text"), Graph::default());
        kept.history.begin(Draft { cause: Cause::Edited, text: &text, graph: &graph, aside: None }).unwrap();
        assert_eq!((kept.history.open_number(), kept.history.abandon()), (Some(2), None));
        assert_eq!((kept.history.open_number(), kept.history.number()), (None, Some(1)));
        assert_eq!(open(kept.state.path()).number(), Some(1));
        assert_eq!(kept.history.load(2).unwrap_err().code, Code::R0203);
    }
}
