//! A case as plain data: a file, what comes in, and what is done to the running graph. It is drawn from a seed, can be made
//! smaller, and can be read by a person.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use super::edit::{self, Edit, EditKind, Saved};
use super::grow;
use super::ledger::Fault;
use super::random::Random;
use super::rows::{self, Arrival, PATHS, What};
use super::sheet::Sheet;

/// Saves in a case of ordinary size.
pub const SAVES_MIN: usize = 30;

#[derive(Clone, Debug)]
pub struct Case {
    pub seed: u64,
    pub sheet: Sheet,
    /// By the path that a source names.
    pub scripts: BTreeMap<String, Vec<Arrival>>,
    /// Largest batch, in rows.
    pub batch_rows: usize,
    /// How many rows may wait for a sink before its sources wait.
    pub outbox_rows: usize,
    /// Recordings first, then what comes live; otherwise recordings only.
    pub live: bool,
    /// Sources can be read once more, so that what an edit makes unreadable is rebuilt.
    pub rereads: bool,
    pub actions: Vec<Action>,
}

#[derive(Clone, Debug)]
pub struct Action {
    /// So many ordinals pass before it.
    pub after: u64,
    pub deed: Deed,
}

#[derive(Clone, Debug)]
pub enum Deed {
    Save {
        edits: Vec<Edit>,
        how: How,
    },
    /// A sink gets into another mood.
    Sink {
        which: u64,
        mood: Mood,
    },
    /// A node fails at its next row.
    Break {
        which: u64,
        panics: bool,
    },
    /// A model answers from here on; `ahead`: and another one so many rows later.
    Assign {
        ahead: Option<u64>,
    },
    /// Somebody looks at a node from here on.
    Tap {
        which: u64,
    },
    /// Everything is saved.
    Epoch,
    /// The process ends, and another goes on from what was saved.
    Crash,
}

#[derive(Clone, Debug)]
pub enum How {
    Plain,
    /// The nth call of its kind fails while the change is made.
    Fault {
        fault: Fault,
        nth: u64,
        panics: bool,
    },
    /// So many rows come while it is rebuilt what the edit makes unreadable.
    Beside(u64),
    /// Another save comes first, while this one has been prepared.
    Overtaken(Vec<Edit>),
    /// The old text is saved again at once.
    AndBack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Prompt,
    /// One batch in so many steps.
    Slow(u64),
    Stuck,
    /// Refuses one batch.
    Failing,
}

impl Case {
    pub fn of(seed: u64) -> Case {
        let mut chance = Random::new(seed);
        let sheet = grow::sheet(&mut chance);
        let live = chance.chance(50);
        let rows = chance.between(40, 160) as usize;
        let saves = SAVES_MIN + chance.below(8);
        let (crashes, rereads) = (chance.chance(40), chance.chance(60));
        Case {
            seed,
            sheet,
            scripts: scripts(rows, live, &mut chance),
            batch_rows: *chance.pick(&[1, 2, 5, 16, 64]),
            outbox_rows: if chance.chance(30) { chance.between(1, 20) as usize } else { 65_536 },
            live,
            rereads,
            actions: actions(saves, crashes, &mut chance),
        }
    }

    /// How much there is of it; smaller is easier to read.
    pub fn size(&self) -> usize {
        let rows: usize = self.scripts.values().map(Vec::len).sum();
        rows + 10 * self.actions.len() + 30 * (self.sheet.streams.len() + self.sheet.sources.len() + self.sheet.sinks.len())
    }
}

fn scripts(rows: usize, live: bool, chance: &mut Random) -> BTreeMap<String, Vec<Arrival>> {
    let mut scripts = BTreeMap::new();
    let mut first = 1;
    for name in ["lab", "hall", "yard"] {
        for path in 0..PATHS {
            let recorded = if live { rows / 3 } else { rows };
            scripts.insert(format!("{name}-{path}.jsonl"), rows::script(recorded, 0, first, chance));
            scripts.insert(format!("{name}-{path}-live.jsonl"), rows::script(rows, 30_000, first + 1_000, chance));
            first += 10_000;
        }
    }
    scripts
}

/// What fails by itself once does not fail again after a crash, models that are assigned ahead are for replays, and rows that
/// wait over a crash are fitted to the columns that their sink has then: these do not come together with crashes.
fn actions(saves: usize, crashes: bool, chance: &mut Random) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut made = 0;
    while made < saves {
        let deed = match chance.below(20) {
            0 if !crashes => Deed::Sink { which: chance.word(), mood: mood(chance) },
            1 | 5 if crashes => {
                if chance.chance(50) {
                    Deed::Crash
                } else {
                    Deed::Epoch
                }
            }
            1 if chance.chance(40) => Deed::Break { which: chance.word(), panics: chance.chance(40) },
            2 | 3 => Deed::Assign { ahead: (!crashes && chance.chance(40)).then(|| chance.between(1, 40) as u64) },
            4 => Deed::Tap { which: chance.word() },
            _ => {
                made += 1;
                save(chance)
            }
        };
        let after = if chance.chance(25) { 0 } else { chance.between(1, 14) as u64 };
        actions.push(Action { after, deed });
    }
    actions
}

fn mood(chance: &mut Random) -> Mood {
    match chance.below(5) {
        0 => Mood::Prompt,
        1 | 2 => Mood::Slow(chance.between(2, 6) as u64),
        3 => Mood::Stuck,
        _ => Mood::Failing,
    }
}

fn save(chance: &mut Random) -> Deed {
    let edits = edits(chance);
    let how = match chance.below(12) {
        0 | 1 => {
            let fault = *chance.pick(&[
                Fault::Build,
                Fault::Open,
                Fault::Load,
                Fault::Retune,
                Fault::Retune,
                Fault::Feed,
                Fault::Confirm,
                Fault::Reread,
            ]);
            // A log is the shell's, and answers with an error.
            let panics = chance.chance(30) && !matches!(fault, Fault::Confirm | Fault::Reread);
            // Only one line of a cut is made durable; and what cannot be read again cannot be read at all.
            let nth = if matches!(fault, Fault::Confirm | Fault::Reread) { 0 } else { chance.below(3) as u64 };
            How::Fault { fault, nth, panics }
        }
        2 => How::Overtaken(self::edits(chance)),
        3 => How::AndBack,
        4 | 5 => How::Beside(chance.between(1, 12) as u64),
        _ => How::Plain,
    };
    Deed::Save { edits, how }
}

/// One edit or several in one save. A rename that nobody has said is only recognised when nothing else changes.
fn edits(chance: &mut Random) -> Vec<Edit> {
    let first = edit::edit(chance);
    let more = if first.kind == EditKind::RenameUnsaid || chance.chance(70) { 0 } else { chance.between(1, 3) };
    let others = (0..more).map(|_| edit::edit(chance)).filter(|edit| edit.kind != EditKind::RenameUnsaid);
    let others: Vec<Edit> = others.collect();
    [first].into_iter().chain(others).collect()
}

impl Display for Case {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "# The file\n{}", self.sheet)?;
        let life = if self.live { "live, after the recordings" } else { "recordings only" };
        let again = if self.rereads { "can" } else { "cannot" };
        writeln!(
            f,
            "# {life}; sources {again} be read once more; batches of {} rows; {} rows may wait for a sink\n",
            self.batch_rows, self.outbox_rows
        )?;
        for (path, script) in self.scripts.iter().filter(|(_, script)| !script.is_empty()) {
            writeln!(f, "# {path}")?;
            script.iter().try_for_each(|arrival| writeln!(f, "{arrival}"))?;
        }
        writeln!(f, "\n# What is done")?;
        let mut sheet = self.sheet.clone();
        for Action { after, deed } in &self.actions {
            match deed {
                Deed::Save { edits, how } => {
                    let kinds: Vec<EditKind> = edits.iter().map(|edit| edit.kind).collect();
                    writeln!(f, "after {after:>2} rows: save {kinds:?}, {how:?}")?;
                    sheet = saved(f, sheet, edits, how)?;
                }
                other => writeln!(f, "after {after:>2} rows: {other:?}")?,
            }
        }
        Ok(())
    }
}

/// The lines that a save changes; a text that the compiler refuses changes nothing.
fn saved(f: &mut Formatter<'_>, before: Sheet, edits: &[Edit], how: &How) -> Result<Sheet, fmt::Error> {
    if let How::Overtaken(others) = how {
        writeln!(f, "  the save that comes first:")?;
        let first = saved(f, before.clone(), others, &How::Plain)?;
        if first != before {
            return Ok(first);
        }
        writeln!(f, "  and the other one:")?;
    }
    let Saved::Text(after) = edit::apply(&before, edits) else { return Ok(before) };
    let (old, new) = (before.to_string(), after.to_string());
    let only = |text: &str, other: &str| -> Vec<String> {
        text.lines().filter(|line| !other.lines().any(|other| other == *line)).map(str::to_owned).collect()
    };
    only(&old, &new).iter().try_for_each(|line| writeln!(f, "    - {line}"))?;
    only(&new, &old).iter().try_for_each(|line| writeln!(f, "    + {line}"))?;
    let made = matches!(how, How::Plain | How::Beside(_) | How::Overtaken(_)) && super::simulate::graph_of(new).is_ok();
    Ok(if made { after } else { before })
}

impl Display for Arrival {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Arrival { gap_ms, what } = self;
        let number = |value: Option<i64>| value.map_or("null".into(), |value| (value as f64 / 4.0).to_string());
        match what {
            What::Row(raw) => {
                let key = raw.key.map_or("null".into(), |key| format!("{key:?}"));
                let g = raw.g.map_or("null".into(), |g| g.to_string());
                write!(f, "  +{gap_ms}ms {{ at: {}ms; id: {}; key: {key}; g: {g}; ", raw.at_ms, raw.id)?;
                write!(f, "a: {}; b: {}; c: {}; y: {} }}", number(raw.a), number(raw.b), number(raw.c), number(raw.y))
            }
            What::Bad => write!(f, "  +{gap_ms}ms what cannot be read"),
            What::Dies { at_once } => write!(f, "  +{gap_ms}ms the line dies (at once: {at_once})"),
        }
    }
}
