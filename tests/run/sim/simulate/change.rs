//! Saves: what is changed, what goes wrong on the way, and what there is before and after.

use std::collections::{BTreeMap, BTreeSet};

use mliot::base::Name;
use mliot::node::Ordinal;
use mliot::plan::{Diff, Graph, diff};
use mliot::runtime::{Backfill, CutEvent, Engine, Event, Rebuild, Settings, Side, prepare_with};

use super::super::case::How;
use super::super::edit::{self, Edit, Saved};
use super::super::ledger::{Armed, Fault};
use super::super::log::{self, CutLog, Happening};
use super::super::record::{Moment, Outcome, Recovery};
use super::super::rename::renames;
use super::super::sheet::{Sheet, Source, Stream};
use super::super::snapshot::{self, Snapshot};
use super::super::world::SimWorld;
use super::{Pending, Simulation, graph_of};

pub(super) type Made = Result<(CutEvent, Diff), Vec<String>>;

pub(super) type Change<'a> = &'a mut dyn FnMut(&mut Engine, &Graph, &SimWorld) -> Made;

fn codes(found: Vec<mliot::diag::Diagnostic>) -> Vec<String> {
    found.into_iter().map(|found| format!("{}: {}", found.code.as_str(), found.message)).collect()
}

pub(super) fn start(engine: &mut Engine, graph: &Graph, world: &SimWorld) -> Made {
    make(engine, graph, world, Rebuild::Now)
}

fn make(engine: &mut Engine, graph: &Graph, world: &SimWorld, rebuild: Rebuild) -> Made {
    engine.apply_with(graph, world, rebuild).map(|cut| (cut.event, cut.diff)).map_err(codes)
}

/// Begins to rebuild what the change makes unreadable, beside the running graph.
fn rebuild(settings: Settings, engine: &Engine, graph: &Graph, world: &SimWorld) -> Box<Backfill> {
    let diff = diff(engine.graph(), graph);
    Box::new(Backfill::begin(settings, engine.graph(), &engine.reached(), graph, &diff, &world.aside()))
}

impl Simulation {
    pub(super) fn save(&mut self, edits: &[Edit], how: &How) {
        let before = self.sheet.clone();
        let what = format!("{:?}, {how:?}", edits.iter().map(|edit| edit.kind).collect::<Vec<_>>());
        let (sheet, graph) = self.edited(edits);
        match how {
            How::Plain => self.change(&what, &sheet, graph, None),
            How::Beside(rows) => self.beside(&what, &sheet, graph, *rows),
            How::Fault { fault, nth, panics } => {
                let armed = Armed { fault: *fault, nth: *nth, panics: *panics, hit: false };
                self.change(&what, &sheet, graph, Some(armed));
            }
            How::AndBack => {
                self.change(&what, &sheet, graph, None);
                let renamed = self.sheet.streams.iter().any(|stream| before.streams.iter().all(|old| old.name != stream.name));
                let back = Sheet { streams: before.streams.iter().cloned().map(unsaid).collect(), ..before };
                let graph = graph_of(back.to_string());
                self.change(&what, &back, graph, None);
                if let Some(moment) = self.moments.last_mut() {
                    moment.back = !renamed;
                }
            }
            How::Overtaken(others) => self.overtaken(&what, &sheet, graph, others),
        }
    }

    /// What has to be rebuilt is rebuilt at once.
    fn change(&mut self, what: &str, sheet: &Sheet, graph: Result<Graph, String>, armed: Option<Armed>) {
        let settings = self.settings;
        self.attempt(what, sheet, graph, armed, &mut |engine, graph, world| {
            make(engine, graph, world, Rebuild::With(rebuild(settings, engine, graph, world)))
        });
    }

    /// Rows come in while it is rebuilt what the change makes unreadable.
    fn beside(&mut self, what: &str, sheet: &Sheet, graph: Result<Graph, String>, rows: u64) {
        let Ok(wanted) = &graph else { return self.change(what, sheet, graph, None) };
        let mut backfill = rebuild(self.settings, &self.engine, wanted, &self.world);
        for _ in 0..rows {
            backfill.work(&self.engine.reached(), self.settings.batch_rows_max, Some(&self.world.aside()));
            self.advance(1);
        }
        self.pending = Pending { aside: self.world.ledger.book().aside, is_tried: true, ..Pending::default() };
        let mut backfill = Some(backfill);
        self.attempt(what, sheet, graph, None, &mut |engine, graph, world| {
            let backfill = backfill.take().expect("it is tried once");
            make(engine, graph, world, Rebuild::With(backfill))
        });
    }

    /// Whoever looked at a node looks no more.
    pub(super) fn crash(&mut self) {
        self.note();
        let before = self.snapshot();
        self.engine = Engine::empty(self.settings);
        let recovered = self.disk.recover(self.settings, &self.world, &mut self.written);
        let (engine, told) = recovered.expect("there is an epoch from the beginning on");
        self.engine = engine;
        self.tapped.clear();
        self.oracle.looked_at.clear();
        let after = self.snapshot();
        self.recoveries.push(Recovery { before, after, told });
    }

    fn edited(&mut self, edits: &[Edit]) -> (Sheet, Result<Graph, String>) {
        match edit::apply(&self.sheet, edits) {
            Saved::Text(sheet) => (sheet.clone(), graph_of(sheet.to_string())),
            Saved::Broken(text) => (self.sheet.clone(), graph_of(text)),
        }
    }

    /// Prepares one change, makes another, and then tries to make the first.
    fn overtaken(&mut self, what: &str, sheet: &Sheet, graph: Result<Graph, String>, others: &[Edit]) {
        let (other, other_graph) = self.edited(others);
        let (Ok(graph), Ok(other_graph)) = (graph, other_graph) else { return };
        let (nodes, open) = self.living();
        let rebuild = Rebuild::With(rebuild(self.settings, &self.engine, &graph, &self.world));
        self.world.ledger.book().opened.clear();
        let Ok(first) = prepare_with(&mut self.engine, &graph, &self.world, rebuild) else { return };
        let (more, open_now) = self.living();
        let (aside, opened) = {
            let mut book = self.world.ledger.book();
            (book.aside, std::mem::take(&mut book.opened))
        };
        self.pending = Pending { nodes: &more - &nodes, open: open_now - open, aside, opened, is_tried: false };
        self.change(what, &other, Ok(other_graph), None);
        self.pending.is_tried = true;
        let mut first = Some(first);
        self.attempt(what, sheet, Ok(graph), None, &mut |engine, _, _| {
            let cut = first.take().expect("it is tried once").cut(engine);
            cut.map(|cut| (cut.event, cut.diff)).map_err(|aborted| vec![format!("overtaken {}", aborted.why.code.as_str())])
        });
    }

    fn living(&self) -> (BTreeSet<u64>, u64) {
        let book = self.world.ledger.book();
        (book.nodes.keys().copied().collect(), book.feeds)
    }

    pub(super) fn snapshot(&mut self) -> Snapshot {
        let mut taken = snapshot::take(&mut self.engine, &self.world.ledger);
        let Pending { nodes, open, aside, opened: _, is_tried: _ } = &self.pending;
        taken.living.retain(|id, _| !nodes.contains(id));
        taken.open -= open;
        taken.aside -= aside;
        taken
    }

    pub(super) fn attempt(
        &mut self,
        what: &str,
        sheet: &Sheet,
        graph: Result<Graph, String>,
        armed: Option<Armed>,
        change: Change,
    ) {
        self.note();
        let before = self.snapshot();
        let opened = if self.pending.is_tried { std::mem::take(&mut self.pending.opened) } else { vec![] };
        let seen = {
            let mut book = self.world.ledger.book();
            book.armed = armed;
            book.opened = opened;
            book.seen.len()
        };
        let built = self.world.ledger.book().built;
        let outcome = match &graph {
            Err(why) => Outcome::Refused(why.clone()),
            Ok(graph) => match change(&mut self.engine, graph, &self.world) {
                Ok(done) => Outcome::Done(Box::new(done)),
                Err(codes) if codes[0].starts_with("overtaken") => Outcome::Overtaken(codes[0].clone()),
                Err(codes) => Outcome::Failed(codes),
            },
        };
        let armed = self.world.ledger.book().armed.take();
        let told = self.told();
        if let (Outcome::Done(done), Ok(graph)) = (&outcome, graph) {
            let again = self.world.rereads && armed.is_none_or(|armed| armed.fault != Fault::Reread || !armed.hit);
            self.changed(sheet, graph, &done.1, (before.next, again), built);
        }
        // What was prepared for this attempt has been made, or is gone.
        if std::mem::take(&mut self.pending.is_tried) {
            self.pending = Pending::default();
        }
        let after = self.snapshot();
        let (rows_moved, opened) = {
            let book = self.world.ledger.book();
            let opened = book.opened.iter().map(|(name, side, path)| (name.to_string(), *side, path.to_string()));
            (book.seen[seen..].iter().map(|seen| seen.rows).sum(), opened.collect::<Vec<(String, Side, String)>>())
        };
        let at = Ordinal(before.next);
        let blocked = self.blocked;
        self.moments.push(Moment {
            what: what.to_owned(),
            outcome,
            before,
            after,
            opened,
            rows_moved,
            blocked,
            armed,
            told,
            at,
            back: false,
        });
    }

    /// How many cuts the engine says that it has made since it was asked last.
    fn told(&mut self) -> usize {
        self.engine.take_events().iter().filter(|event| matches!(event, Event::Cut(_))).count()
    }

    fn changed(&mut self, sheet: &Sheet, graph: Graph, diff: &Diff, (at, again): (u64, bool), built: u64) {
        let (renames, reconnected) = (renames(&self.sheet, sheet), reconnected(&self.sheet, sheet));
        let cut = CutLog { at, graph, renames, stateless: log::stateless(diff), reconnected, again };
        let moved: BTreeMap<String, String> = diff.moved().map(|(from, to)| (from.to_string(), to.to_string())).collect();
        let mut book = self.world.ledger.book();
        book.plan += 1;
        let old = book.nodes.iter_mut().filter(|(id, _)| **id <= built);
        old.for_each(|(_, name)| *name = moved.get(name).unwrap_or(name).clone());
        drop(book);
        self.tapped =
            std::mem::take(&mut self.tapped).into_iter().filter_map(|(key, rows)| Some((cut.after(&key)?, rows))).collect();
        self.tapped.retain(|key, _| cut.graph.nodes.contains_key(key));
        self.sheet = sheet.clone();
        self.happen(Happening::Cut(Box::new(cut)));
        self.oracle.looked_at.retain(|key, _| self.tapped.contains_key(key));
        self.look();
    }
}

fn unsaid(stream: Stream) -> Stream {
    Stream { was: None, ..stream }
}

fn reconnected(before: &Sheet, after: &Sheet) -> BTreeSet<Name> {
    let other = |source: &&Source| before.sources.iter().any(|old| old.name == source.name && old.path != source.path);
    after.sources.iter().filter(other).map(|source| source.name.as_str().into()).collect()
}
