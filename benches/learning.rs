//! What the pipelines of the course learn from real recordings: champion, its score, the trivial baselines beside it.
//!
//! Each job learns from nothing five times (`-- --rounds N` for more or fewer, `-- NAME` for some of them) with the program
//! itself, and the table shows medians; a range stands beside them where the rounds differ. The recordings are looked for in
//! the folder that `MLIOT_DATA` names. `-- --confusion` shows the confusion matrix of each last round.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use serde_json::Value;

/// One thing to learn, and where it is judged.
struct Job {
    name: &'static str,
    pipeline: &'static str,
    task: &'static str,
    /// What of the file's text is replaced by what.
    edit: Option<(&'static str, &'static str)>,
    metrics: &'static [&'static str],
    /// Recordings of other weeks, by source.
    scored_on: &'static [&'static str],
}

const OCCUPANCY: Job = Job {
    name: "occupancy, logistic",
    pipeline: "01-first-light/occupancy.mliot",
    task: "occupancy",
    edit: Some(("models   auto", "models   [logistic]")),
    metrics: &["accuracy"],
    scored_on: &["room=occupancy/datatest.txt.gz", "room=occupancy/datatest2.txt.gz"],
};

const ACTIVITY: Job = Job {
    name: "activity",
    pipeline: "02-activity/activity.mliot",
    task: "motion",
    edit: None,
    metrics: &["accuracy", "macro_f1"],
    scored_on: &[],
};

const JOBS: [Job; 6] = [
    OCCUPANCY,
    Job { name: "occupancy, auto", edit: None, ..OCCUPANCY },
    ACTIVITY,
    Job {
        name: "activity, logistic",
        edit: Some(("  policy   wearable", "  models   [logistic]\n  policy   wearable")),
        ..ACTIVITY
    },
    Job {
        name: "market",
        pipeline: "03-market/market.mliot",
        task: "direction",
        edit: None,
        metrics: &["accuracy"],
        scored_on: &[],
    },
    Job {
        name: "machines",
        pipeline: "04-machines/machines.mliot",
        task: "failure",
        edit: None,
        metrics: &["accuracy", "f1"],
        scored_on: &[],
    },
];

/// Scores of one round, by where and what: `hold_out accuracy`, `datatest constant accuracy`.
type Scores = BTreeMap<String, f64>;

struct Round {
    champion: String,
    scores: Scores,
    seconds: f64,
    confusion: Vec<Value>,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(data) = env::var_os("MLIOT_DATA").map(PathBuf::from) else {
        println!("set MLIOT_DATA to the folder of the recordings");
        return;
    };
    let rounds = option(&arguments, "--rounds").map_or(5, |text| text.parse().expect("a number of rounds"));
    let shows_confusion = arguments.iter().any(|argument| argument == "--confusion");
    let wanted: Vec<&String> =
        arguments.iter().filter(|text| !text.starts_with("--") && text.parse::<usize>().is_err()).collect();
    for job in JOBS.iter().filter(|job| wanted.is_empty() || wanted.iter().any(|name| job.name.contains(name.as_str()))) {
        let learned: Vec<Round> = (0..rounds).map(|_| learn(job, &data)).collect();
        show(job, &learned);
        if let (true, Some(last)) = (shows_confusion, learned.last()) {
            last.confusion.iter().for_each(|matrix| println!("  {matrix}"));
        }
    }
}

fn option<'a>(arguments: &'a [String], name: &str) -> Option<&'a String> {
    arguments.iter().position(|argument| argument == name).and_then(|nth| arguments.get(nth + 1))
}

/// Learns from nothing in a folder of its own, and judges the champion on the other recordings.
fn learn(job: &Job, data: &Path) -> Round {
    let folder = env::temp_dir().join(format!("mliot-learning-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for the pipeline");
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(job.pipeline)).expect("the pipeline");
    let edited = job.edit.map_or(text.clone(), |(from, to)| text.replacen(from, to, 1));
    assert!(job.edit.is_none() || edited != text, "{} has not what is to be replaced", job.pipeline);
    fs::write(folder.join("job.mliot"), edited).expect("the pipeline in its folder");
    let began = Instant::now();
    let replayed = program(&folder, data, &["replay", "job.mliot", "--anew", "--json"]);
    let seconds = began.elapsed().as_secs_f64();
    let task = &replayed["tasks"][job.task];
    let mut round = Round { champion: config(&task["candidates"]), scores: Scores::new(), seconds, confusion: Vec::new() };
    note(&mut round.scores, "validation", &task["champion"]["metrics"], &task["baselines"], job);
    note(&mut round.scores, "hold-out", &task["hold_out"], &Value::Null, job);
    for &input in job.scored_on {
        let (source, path) = input.split_once('=').expect("a source and its recording");
        let place = format!("{source}={}", data.join(path).display());
        let scored = program(&folder, data, &["score", "job.mliot", "--input", &place, "--json"]);
        let scored = &scored["tasks"][job.task];
        let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path);
        note(&mut round.scores, name.trim_end_matches(".txt.gz"), &scored["metrics"], &scored["baselines"], job);
        round.confusion.push(scored["confusion"].clone());
    }
    let _ = fs::remove_dir_all(&folder);
    round
}

/// What the program prints.
fn program(folder: &Path, data: &Path, arguments: &[&str]) -> Value {
    let done = Command::new(env!("CARGO_BIN_EXE_mliot"))
        .args(arguments)
        .current_dir(folder)
        .env("MLIOT_DATA", data)
        .output()
        .expect("the program");
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&done.stderr));
    text.lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok())
        .unwrap_or_else(|| panic!("{arguments:?} printed {text}"))
}

fn config(candidates: &Value) -> String {
    let all = candidates.as_array().map(Vec::as_slice).unwrap_or_default();
    let champion = all.iter().find(|candidate| candidate["champion"] == true);
    champion.map_or("nobody".to_owned(), |it| format!("{} {}", it["family"].as_str().unwrap_or_default(), it["config"]))
}

fn note(scores: &mut Scores, place: &str, metrics: &Value, baselines: &Value, job: &Job) {
    for metric in job.metrics {
        if let Some(score) = metrics[metric].as_f64() {
            scores.insert(format!("{place} {metric}"), score);
        }
        for baseline in ["constant", "persistence"] {
            if let Some(score) = baselines[baseline][metric].as_f64() {
                scores.insert(format!("{place} {metric} ({baseline})"), score);
            }
        }
    }
}

fn show(job: &Job, rounds: &[Round]) {
    let seconds = median(rounds.iter().map(|round| round.seconds).collect());
    println!("\n{}: medians of {} rounds, {seconds:.0} s each", job.name, rounds.len());
    let mut champions: Vec<&str> = rounds.iter().map(|round| round.champion.as_str()).collect();
    champions.sort_unstable();
    champions.dedup();
    println!("  champion {}", champions.join(" or "));
    for place in rounds.first().map(|round| round.scores.keys()).into_iter().flatten() {
        let all: Vec<f64> = rounds.iter().filter_map(|round| round.scores.get(place)).map(|score| score * 100.0).collect();
        let (least, most) = all.iter().fold((f64::MAX, f64::MIN), |(least, most), &it| (least.min(it), most.max(it)));
        let range = if least == most { String::new() } else { format!("   {least:.2} to {most:.2}") };
        println!("  {place:<40} {:6.2}{range}", median(all));
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
