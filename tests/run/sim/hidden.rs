//! Promise 18 over generated edits of features: a model is fed by the definitions that it was trained with, whatever the file says
//! meanwhile, over crashes, and until another model takes its place at one row.
//!
//! No oracle of hidden copies is needed: the first model answers as in a run without any edit, and the second one as in a run
//! that has had the last text from its beginning.

use std::collections::BTreeMap;
use std::sync::Arc;

use mliot::base::Name;
use mliot::ir::Value;
use mliot::node::{Ordinal, Predictor};
use mliot::runtime::{Engine, Life, Progress, Row, Settings, from_table};

use super::crash::{Disk, Written};
use super::ledger::{Ledger, MADE};
use super::log::Model;
use super::promises::alike;
use super::random::Random;
use super::rows;
use super::simulate::graph_of;
use super::world::{Scripts, SimWorld, path};

/// Cases of the ordinary test run; `MLIOT_SEEDS` asks for more.
const CASES: u64 = 60;
const ROWS: usize = 80;

/// What a text says about the features; rows are never left out.
#[derive(Clone, Debug, PartialEq)]
struct Text {
    times: i64,
    running: &'static str,
    factor: i64,
    /// Is `p` a feature beside `x` and `r`?
    wide: bool,
    /// A stage more, which no feature is made of.
    more: bool,
}

const RUNNING: [&str; 4] = ["cumulative(sum(x))", "cumulative(max(x))", "previous(x)", "lag(x, 2)"];

#[derive(Clone, Debug)]
enum Deed {
    Edit(Text),
    Epoch,
    Crash,
    /// A model of the features of now takes over.
    Promote,
}

#[derive(Clone, Debug)]
struct Case {
    batch_rows: usize,
    first: Text,
    /// Each at its row.
    deeds: Vec<(u64, Deed)>,
}

/// What a run has written, and where the second model took over: at so many rows, and the ordinal.
struct Given {
    rows: Vec<Row>,
    promoted: Option<(usize, Ordinal)>,
}

impl Text {
    fn of(chance: &mut Random) -> Text {
        Text {
            times: *chance.pick(&[1, 2, -1, 3]),
            running: RUNNING[chance.below(RUNNING.len())],
            factor: *chance.pick(&[1, 2]),
            wide: chance.chance(40),
            more: chance.chance(40),
        }
    }

    fn features(&self) -> Vec<&'static str> {
        if self.wide { vec!["x", "r", "p"] } else { vec!["x", "r"] }
    }

    fn written(&self) -> String {
        let Text { times, running, factor, wide: _, more } = self;
        let more = if *more { "\n  | set { q = r * 2.0 }" } else { "" };
        format!(
            r#"
source lab {{
  columns {{ at: time; id: int; key: text?; g: int?; v: float? from "a"; y: float? }}
  recorded jsonl("lab-0.jsonl")
  time     at, lateness 1s
}}

stream made = lab
  | set {{ x = (v else 0.0) * ({times}.0) }}
  | scan by key {{ r = {running} * {factor}.0; p = previous(x) }}{more}
task level = regress y from made {{ features [{}]; policy plain }}
policy plain {{ minimize mae; search 1 trials, 1s; validate last 20% }}
sink out = made | predict level as guess | to jsonl("out.jsonl")
"#,
            self.features().join(", ")
        )
    }

    fn model(&self, number: i64) -> Arc<Model> {
        let features = self.features().into_iter().map(Name::from).collect();
        Arc::new(Model { version: format!("level-{number}"), features, factor: number })
    }
}

impl Case {
    fn of(seed: u64) -> Case {
        let mut chance = Random::new(seed ^ 0x6869_6464_656E);
        let first = Text::of(&mut chance);
        let crashes = chance.chance(60);
        let mut deeds: Vec<(u64, Deed)> = Vec::new();
        let mut at = 0;
        for _ in 0..chance.between(3, 9) {
            at += chance.between(0, 12) as u64;
            let deed = match chance.below(6) {
                0 if crashes => Deed::Epoch,
                1 if crashes => Deed::Crash,
                // There and back again.
                2 => Deed::Edit(first.clone()),
                _ => Deed::Edit(Text::of(&mut chance)),
            };
            deeds.push((at, deed));
        }
        if chance.chance(60) {
            deeds.push((at + chance.between(0, 9) as u64, Deed::Promote));
            deeds.extend(crashes.then_some((at + 12, Deed::Crash)));
        }
        Case { batch_rows: *chance.pick(&[1, 3, 16]), first, deeds }
    }

    /// The text that runs when the second model takes over.
    fn last(&self) -> &Text {
        let mut texts = self.deeds.iter().filter_map(|(_, deed)| if let Deed::Edit(text) = deed { Some(text) } else { None });
        texts.next_back().unwrap_or(&self.first)
    }
}

/// A run of `first`, with what is done to it.
fn run(seed: u64, case: &Case, first: &Text, deeds: &[(u64, Deed)]) -> Given {
    let script = rows::script(ROWS, 0, 1, &mut Random::new(seed));
    let scripts = Scripts::from([("lab-0.jsonl".to_owned(), Arc::from(script.as_slice()))]);
    let world = SimWorld { ledger: Ledger::default(), scripts: Arc::new(scripts), rereads: true };
    let graph = |text: &Text| graph_of(text.written()).unwrap_or_else(|why| panic!("{why}\n{}", text.written()));
    let settings = Settings { batch_rows_max: case.batch_rows, life: Life::Replay, ..Settings::default() };
    let mut engine = Engine::start(settings, &graph(first), &world).expect("it begins");
    let (mut disk, mut written, task) = (Disk::default(), Written::new(), Name::from("level"));
    disk.keep(&mut engine, &world.ledger);
    let assign = |engine: &mut Engine, disk: &mut Disk, text: &Text, number: i64| {
        let model = text.model(number);
        disk.models.insert(model.version.clone(), model.clone());
        engine.promote(&task, Some(model as Arc<dyn Predictor>), &world).expect("nothing hinders it")
    };
    assign(&mut engine, &mut disk, first, 1);
    disk.save(&mut engine, &written);
    let (mut now, mut promoted) = (first.clone(), None);
    for (at, deed) in deeds {
        advance(&mut engine, Some(Ordinal(*at)), &mut written);
        match deed {
            Deed::Edit(text) => {
                let (_, served) = engine.apply_serving(&graph(text), &world).expect("a good edit");
                assert!(served.iter().all(|one| one.goes_on), "{served:?}");
                now = text.clone();
            }
            Deed::Epoch => disk.save(&mut engine, &written),
            Deed::Crash => {
                let (recovered, told) = disk.recover(settings, &world, &mut written).expect("there is an epoch");
                assert!(told.is_empty(), "{told:?}");
                engine = recovered;
                deliver(&mut engine, &mut written);
            }
            Deed::Promote => {
                let rows = written.values().map(Vec::len).sum();
                promoted = Some((rows, assign(&mut engine, &mut disk, &now, 2)));
                assert_eq!(*engine.graph(), graph(&now), "nothing hidden is left");
            }
        }
    }
    advance(&mut engine, None, &mut written);
    let found = engine.take_findings().into_iter().map(|found| found.message);
    let found: Vec<String> = found.filter(|message| !message.contains(MADE)).collect();
    assert!(found.is_empty(), "{found:?}");
    Given { rows: written.into_values().flatten().collect(), promoted }
}

fn advance(engine: &mut Engine, stop: Option<Ordinal>, written: &mut Written) {
    while stop.is_none_or(|stop| engine.next() < stop) {
        let progress = engine.step_until(stop);
        deliver(engine, written);
        if progress == Progress::Ended {
            return;
        }
    }
}

fn deliver(engine: &mut Engine, written: &mut Written) {
    for outbox in engine.outboxes_mut() {
        while let Some(rows) = outbox.take() {
            written.entry((path(&outbox.connector), outbox.id.0)).or_default().extend(from_table(&rows));
        }
    }
}

/// Which row, and what was answered.
fn answers(rows: &[Row]) -> Vec<Row> {
    let wanted = ["id", "guess", "guess_version"].map(Name::from);
    rows.iter().map(|row| wanted.iter().map(|name| (name.clone(), row[name].clone())).collect()).collect()
}

fn holds(seed: u64) -> Result<usize, String> {
    let case = Case::of(seed);
    let given = run(seed, &case, &case.first, &case.deeds);
    let upto = given.promoted.map_or(given.rows.len(), |(rows, _)| rows);
    let old = run(seed, &case, &case.first, &[]);
    if old.rows.len() != given.rows.len() {
        return Err(format!("{} rows, {} without edits", given.rows.len(), old.rows.len()));
    }
    alike("the first model", &answers(&old.rows[..upto]), &answers(&given.rows[..upto]))?;
    if let Some((rows, at)) = given.promoted {
        let new = run(seed, &case, case.last(), &[(at.0, Deed::Promote)]);
        alike("the second model", &answers(&new.rows[rows..]), &answers(&given.rows[rows..]))?;
    }
    let known = |row: &&Row| row["guess"] != Value::Null;
    Ok(given.rows.iter().filter(known).count())
}

#[test]
fn a_model_is_fed_by_its_own_features_over_every_edit_of_them() {
    let mut answered: BTreeMap<u64, usize> = BTreeMap::new();
    let cases = super::number("MLIOT_SEEDS").unwrap_or(CASES);
    for seed in super::number("MLIOT_SEED").map_or(0..cases, |seed| seed..seed + 1) {
        let count = holds(seed).unwrap_or_else(|why| panic!("seed {seed}: {why}\n{:#?}", Case::of(seed)));
        answered.insert(seed, count);
    }
    assert!(answered.values().sum::<usize>() > answered.len() * ROWS / 4, "models answer most rows: {answered:?}");
}
