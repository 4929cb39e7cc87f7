//! Trials in processes of their own.

use std::time::Instant;

use mliot::lifecycle::{Data, InProcess, Job, Processes, Round, TrialError, Trials, train};
use mliot::model::{Config, ConfigValue, Control, Purpose, family};

use super::generation::{quick, rows, two_numbers};

fn processes(arguments: &[&str]) -> Processes {
    let arguments = arguments.iter().map(Into::into).collect();
    Processes { program: env!("CARGO_BIN_EXE_mliot").into(), arguments, parallel: 2 }
}

fn data() -> Data {
    Data::new(&two_numbers(&[]), Purpose::Classify, &rows(400)).unwrap()
}

fn job(name: &str, changes: Config) -> Job {
    let labelled: Vec<usize> = (0..400).filter(|row| row % 17 != 5).collect();
    let (train, validate) = labelled.split_at(300);
    let round = Round { train: train.to_vec(), validate: validate.to_vec() };
    Job {
        family: name.to_owned(),
        config: family(name).unwrap().config(&changes),
        seed: 3,
        rounds: vec![round],
        earlier: Vec::new(),
        metrics: Vec::new(),
        baseline_mae: None,
        goal: None,
        measured: true,
    }
}

#[test]
fn a_worker_gives_the_bytes_that_a_thread_gives() {
    let data = data();
    for name in ["constant", "logistic", "tree", "boosted", "mlp", "forest"] {
        let job = job(name, Config::default());
        let apart = processes(&["worker"]).run(&data, &job, &Control::default()).unwrap();
        let here = InProcess { parallel: 1 }.run(&data, &job, &Control::default()).unwrap();
        assert_eq!(apart.bundles, here.bundles, "{name}");
        assert_eq!((apart.figures, apart.confusion), (here.figures, here.confusion), "{name}");
        let measured = apart.measured.unwrap();
        assert!(measured.latency_p99 >= measured.latency_p50 && measured.latency_p50 > 0.0, "{measured:?}");
        assert!(measured.memory > 500 && measured.size as usize == here.bundles[0].len(), "{measured:?}");
    }
}

#[test]
fn a_whole_training_runs_in_workers() {
    let apart = train(&two_numbers(&[]), &quick(6), &rows(400), &processes(&["worker"]), &mut |_| {}).unwrap();
    let here = train(&two_numbers(&[]), &quick(6), &rows(400), &InProcess { parallel: 1 }, &mut |_| {}).unwrap();
    let figures = |generation: &mliot::lifecycle::Generation| {
        generation.report.candidates.iter().map(|candidate| candidate.metrics.clone()).collect::<Vec<_>>()
    };
    assert_eq!(figures(&apart), figures(&here));
}

#[test]
fn a_worker_that_ends_costs_one_trial_and_says_why() {
    let silent = processes(&["no worker"]).run(&data(), &job("constant", Config::default()), &Control::default());
    assert!(matches!(silent, Err(TrialError::Crashed(_))), "{silent:?}");
    let missing = Processes { program: "/no/such/program".into(), arguments: Vec::new(), parallel: 1 };
    let missing = missing.run(&data(), &job("constant", Config::default()), &Control::default());
    assert!(matches!(&missing, Err(TrialError::Failed(why)) if why.contains("/no/such/program")), "{missing:?}");
    let unknown = Job { family: "no such".to_owned(), ..job("constant", Config::default()) };
    let unknown = processes(&["worker"]).run(&data(), &unknown, &Control::default());
    assert!(matches!(unknown, Err(TrialError::Failed(_))), "{unknown:?}");
}

#[test]
fn a_cancelled_worker_is_killed() {
    let slow = Config::default().with("trees", ConfigValue::Int(2_000)).with("leaf", ConfigValue::Int(1));
    let (data, job, control) = (data(), job("forest", slow), Control::default());
    let begin = Instant::now();
    let whole = std::thread::scope(|scope| {
        let running = scope.spawn(|| processes(&["worker"]).run(&data, &job, &control));
        control.cancel();
        running.join().unwrap()
    });
    assert_eq!(whole, Err(TrialError::Cancelled));
    eprintln!("cancelled after {:?}", begin.elapsed());
}
