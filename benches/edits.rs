//! Edits under load, against the real shell: a run with a simulated source, a sink and a state folder, whose file is saved anew
//! every 200 ms, each time by an edit of another class, broken ones among them. For each class: how many rows were lost, doubled
//! or out of order per key, how long no row was processed (pause), and how long it took from the save until the new version ran.
//!
//! `MLIOT_BENCH_SECONDS` is how long each rate is run (60), `MLIOT_BENCH_RATES` the rates (`1000,50000` rows/s). The release run:
//! `cargo bench --bench edits`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use mliot::base::Time;
use mliot::host::state::StateFolder;
use mliot::host::{Compiler, FileCompiler, HostEvent, Keeper, Kept, Limits, Machines, Said, Setup, Stop, Wanted, run};
use mliot::io::{Live, Mode, Now, Place, Wall};
use mliot::lifecycle::Registry;

const EDIT_EVERY: Duration = Duration::from_millis(200);
/// An edit that is not answered by then is counted as such.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);
const DEVICES: u64 = 10;

/// The parts of the file that edits change, each in turn one way and the other.
#[derive(Clone, Copy, Default)]
struct Variant([bool; KINDS.len()]);

const KINDS: [&str; 8] = [
    "nothing: layout",
    "retuned: a threshold",
    "added: a column",
    "migrated: a half-life",
    "reset: a longer lag, rebuilt",
    "migrated: an aggregate more",
    "added, removed: a stream and its sink",
    "broken: a unit, a word",
];

fn main() {
    let seconds = std::env::var("MLIOT_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let rates = std::env::var("MLIOT_BENCH_RATES").unwrap_or_else(|_| "1000,50000".into());
    for rate in rates.split(',').filter_map(|rate| rate.trim().parse().ok()) {
        measure(rate, Duration::from_secs(seconds));
    }
}

fn text(rate: u64, variant: Variant, broken: bool) -> String {
    let [layout, bound, column, half_life, lag, aggregate, stream, wrong] = variant.0;
    let pick = |is: bool, one: &'static str, other: &'static str| if is { one } else { other };
    let devices: Vec<String> = (0..DEVICES).map(|device| format!("\"d{device}\"")).collect();
    let mut out = format!(
        "{}source room {{\n  columns {{ at: time; device: text; x: float<ppm> }}\n  live simulate {{\n    rows {} per 1s by device in [{}]; \
         seed 7\n    columns {{ x = walk(0..900, step: 5) }}\n  }}\n  time at\n}}\n",
        pick(layout, "# another remark\n", ""),
        rate / DEVICES,
        devices.join(", "),
    );
    let _ = writeln!(
        out,
        "stream air = room | where x >= {} | set {{ high = x > 400{} }}\n  | scan by device {{ e = ewma(x, {}); l = lag(x, {}) }}",
        pick(bound, "-1", "-2"),
        pick(column, "; low = x < 100", ""),
        pick(half_life, "5s", "9s"),
        pick(lag, "2", "3"),
    );
    let _ = writeln!(
        out,
        "stream panes = air | window 500ms by device {{ m = mean(x){} }}\nsink panes_out = panes | to csv(\"panes{}.csv\")",
        pick(aggregate, "; n = count()", ""),
        pick(aggregate, "-n", ""),
    );
    if stream {
        let _ = writeln!(out, "stream more = air | where high\nsink more_out = more | select [at, x] | to csv(\"more.csv\")");
    }
    if broken {
        let _ = writeln!(out, "{}", pick(wrong, "stream bad = room | where x > 20degC", "strem bad = room"));
    }
    out + "sink out = air | select [at, device] | to csv(\"out.csv\")\n"
}

/// What came of the edits of one kind.
#[derive(Default)]
struct Kind {
    edits: u64,
    unanswered: u64,
    pauses_us: Vec<u64>,
    took_us: Vec<u64>,
    lost: u64,
    doubled: u64,
    out_of_order: u64,
}

fn measure(rate: u64, seconds: Duration) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = folder.path().join("room.mliot");
    let mut variant = Variant::default();
    save(folder.path(), &text(rate, variant, false));
    let (stop, heard, running) = start(folder.path(), &file);
    wait(&heard, |event| matches!(event, HostEvent::Started { .. }).then_some(()));
    let (mut kinds, mut cuts): (Vec<Kind>, Vec<(u64, usize)>) = (KINDS.map(|_| Kind::default()).into(), Vec::new());
    let (begun, pause) = (Instant::now(), Stop::default());
    for nth in 0.. {
        let due = EDIT_EVERY * nth;
        if due > seconds {
            break;
        }
        pause.wait((begun + due).saturating_duration_since(Instant::now()), Wanted::End);
        let kind = nth as usize % KINDS.len();
        variant.0[kind] ^= true;
        let saved = Instant::now();
        save(folder.path(), &text(rate, variant, kind == KINDS.len() - 1));
        kinds[kind].edits += 1;
        match wait(&heard, answer) {
            Some(Some((at, pause_us))) => {
                kinds[kind].pauses_us.push(pause_us);
                cuts.push((at, kind));
            }
            Some(None) => {}
            None => kinds[kind].unanswered += 1,
        }
        kinds[kind].took_us.push(saved.elapsed().as_micros() as u64);
    }
    stop.please();
    let undelivered = running.join().expect("the run does not panic");
    let rows = count(&folder.path().join("out.csv"), rate, &cuts, &mut kinds);
    report(rate, seconds, rows, undelivered, kinds);
}

/// Aside, then over: no reader sees half a file.
fn save(folder: &Path, text: &str) {
    let written = std::fs::write(folder.join(".room.tmp"), text)
        .and_then(|()| std::fs::rename(folder.join(".room.tmp"), folder.join("room.mliot")));
    written.expect("the folder for temporary files takes a file");
}

type Running = std::thread::JoinHandle<u64>;

fn start(folder: &Path, file: &Path) -> (Stop, Receiver<Said>, Running) {
    let text = std::fs::read_to_string(file).expect("it was written just now");
    let mut compiler = FileCompiler::new(file.to_owned(), Vec::new());
    let compiled = compiler.compile(&text);
    assert!(compiled.graph.is_some(), "{:#?}", compiled.diagnostics);
    let state = folder.join("state");
    let opened = StateFolder::open(&state).and_then(|state| Kept::open(state, Wall.now(), mliot::host::EPOCH_EVERY));
    let kept = opened.expect("the state folder is new");
    let live = Arc::new(Live::at(&state));
    let place = Place { began: kept.began, live: Some(live.clone()), ..Place::beside(folder) };
    let (hear, heard) = channel();
    let stop = Stop::default();
    let setup = Setup {
        file: file.to_owned(),
        text,
        compiled,
        compiler: Box::new(compiler),
        parts: Arc::new(Machines { place, sinks: Mode::Live }),
        inlets: live.inlets().clone(),
        learner: Arc::new(Keeper { registry: Registry::at(&state) }),
        ear: Box::new(move |said: &Said| _ = hear.send(said.clone())),
        stop: stop.clone(),
        heed_signals: false,
        limits: Limits::default(),
        state: Some(kept),
        confirm: None,
        probation: None,
        typed: false,
    };
    let running = std::thread::spawn(move || run(setup).expect("it starts").undelivered);
    (stop, heard, running)
}

/// The first event that is wanted; none if it does not come.
fn wait<T>(heard: &Receiver<Said>, mut wanted: impl FnMut(&HostEvent) -> Option<T>) -> Option<T> {
    let until = Instant::now() + ANSWERED_WITHIN;
    loop {
        let said = heard.recv_timeout(until.saturating_duration_since(Instant::now())).ok()?;
        if let Said::Host(event) = &said
            && let Some(found) = wanted(event)
        {
            return Some(found);
        }
    }
}

/// At which row an edit took place, and how long no row was processed; none where nothing changed.
fn answer(event: &HostEvent) -> Option<Option<(u64, u64)>> {
    match event {
        HostEvent::EditApplied { at, pause_us, .. } => Some(Some((at.0, *pause_us))),
        HostEvent::EditUnchanged | HostEvent::EditRefused(_) => Some(None),
        _ => None,
    }
}

/// Rows of a device stand one tick apart. What is wrong with a row is laid at the door of the last edit before it.
fn count(path: &Path, rate: u64, cuts: &[(u64, usize)], kinds: &mut [Kind]) -> u64 {
    let tick = 1_000_000 * DEVICES / rate;
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    let (mut rows, mut cut) = (0, 0);
    for line in BufReader::new(File::open(path).expect("the sink has written")).lines().skip(1) {
        let line = line.expect("the sink writes text");
        let (at, device) = line.split_once(',').expect("two columns");
        let at = Time::parse(at).expect("a time").0;
        while cuts.get(cut + 1).is_some_and(|(from, _)| *from <= rows) {
            cut += 1;
        }
        rows += 1;
        let before = last.insert(device.to_owned(), at);
        let (Some(before), Some((_, kind))) = (before, cuts.get(cut)) else { continue };
        match at - before {
            step if step == tick as i64 => {}
            0 => kinds[*kind].doubled += 1,
            step if step < 0 => kinds[*kind].out_of_order += 1,
            step => kinds[*kind].lost += (step as u64 / tick).saturating_sub(1),
        }
    }
    rows
}

fn report(rate: u64, seconds: Duration, rows: u64, undelivered: u64, kinds: Vec<Kind>) {
    println!("\n{rate} rows/s for {} s: {rows} rows written, {undelivered} not; times in milliseconds", seconds.as_secs());
    println!(
        "{:<40}{:>6}{:>6}{:>9}{:>8}{:>11}{:>11}{:>10}{:>10}",
        "edit", "edits", "lost", "doubled", "order", "pause p50", "pause p99", "save p50", "save p99"
    );
    for (name, mut kind) in KINDS.iter().zip(kinds) {
        let [p50, p99] = [0.5, 0.99].map(|share| quantile(&mut kind.pauses_us, share));
        let [s50, s99] = [0.5, 0.99].map(|share| quantile(&mut kind.took_us, share));
        let Kind { edits, lost, doubled, out_of_order, unanswered, .. } = kind;
        println!("{name:<40}{edits:>6}{lost:>6}{doubled:>9}{out_of_order:>8}{p50:>11}{p99:>11}{s50:>10}{s99:>10}");
        if unanswered > 0 {
            println!("  {unanswered} of them were not answered within {} s", ANSWERED_WITHIN.as_secs());
        }
    }
}

/// In milliseconds; `-` where there is nothing.
fn quantile(values: &mut [u64], share: f64) -> String {
    values.sort_unstable();
    match values.len() {
        0 => "-".into(),
        count => format!("{:.2}", values[((count - 1) as f64 * share).round() as usize] as f64 / 1e3),
    }
}
