//! The state folder of a run of which any single step may go wrong: it is the last that the process does, or the disk refuses it
//! once. A small run with two edits is carried out again for every step that it takes, and once more for every file that could
//! be damaged; whatever happens, the run that goes on has one plan, and its sinks have every row once.

mod faulty;
mod run;

use std::fs;
use std::path::Path;

use faulty::{Fault, Faulty};
use run::{End, Journey, Small};

/// Steps of a run are fewer; so a fault that is never met is found.
const STEPS_MAX: usize = 2_000;

/// Carries the run to its end through as many processes as it takes; the first ones have these faults.
fn through(small: &Small, folder: &Path, faults: &[Fault]) -> (Journey, Vec<bool>) {
    let mut journey = Journey::new(folder);
    let mut met = Vec::new();
    for fault in faults {
        let files = Faulty::with(*fault);
        let end = journey.process(small, files.clone());
        met.push(files.was_met());
        if end == End::Whole {
            break;
        }
    }
    // Whatever the last one left, another process finds the same.
    let end = journey.process(small, Faulty::with(Fault::None));
    assert_eq!(end, End::Whole, "{faults:?}: {:?}", journey.told);
    (journey, met)
}

fn every_step(small: &Small, faults: impl Fn(usize) -> Vec<Fault>) -> usize {
    let wanted = small.reference();
    for step in 0..STEPS_MAX {
        let temp = tempfile::tempdir().expect("a folder");
        let faults = faults(step);
        let (journey, met) = through(small, temp.path(), &faults);
        journey.is_as(&wanted).unwrap_or_else(|why| panic!("{faults:?}: {why}; told {:?}", journey.told));
        if !met[0] {
            return step;
        }
    }
    panic!("the run has no end")
}

#[test]
fn whichever_step_is_the_last_of_a_process_the_next_has_one_plan_and_every_row_once() {
    let small = Small::new();
    // The process that goes on ends early, too, at one step or another.
    let steps = every_step(&small, |step| vec![Fault::Ends { after: step }, Fault::Ends { after: step * 7 % 23 }]);
    println!("{steps} steps");
    assert!(steps > 60, "{steps} steps are too few for two edits and three epochs");
}

#[test]
fn whichever_step_the_disk_refuses_nothing_is_lost() {
    let small = Small::new();
    let steps = every_step(&small, |step| vec![Fault::Refuses { step }]);
    println!("{steps} steps");
    assert!(steps > 60, "{steps} steps");
}

/// A disk that stays full from some step on, until the process ends.
#[test]
fn from_whichever_step_the_disk_is_full_the_next_process_goes_on() {
    let small = Small::new();
    let steps = every_step(&small, |step| vec![Fault::Full { from: step }]);
    assert!(steps > 60, "{steps} steps");
}

#[test]
fn a_damaged_epoch_is_named_and_the_run_goes_on_from_the_one_before() {
    let small = Small::new();
    let wanted = small.reference();
    let whole = tempfile::tempdir().expect("a folder");
    let (before, _) = through(&small, whole.path(), &[]);
    let newest = whole.path().join(format!("epochs/{:06}", before.newest));
    let names: Vec<_> = fs::read_dir(&newest).expect("an epoch").map(|entry| entry.expect("a file").file_name()).collect();
    assert!(names.len() > 4, "{names:?}");
    for name in names {
        for harm in [flip as fn(&mut Vec<u8>), cut] {
            let temp = tempfile::tempdir().expect("a folder");
            let (mut journey, _) = through(&small, temp.path(), &[]);
            let path = temp.path().join(format!("epochs/{:06}", journey.newest)).join(&name);
            harmed(&path, harm);
            assert_eq!(journey.process(&small, Faulty::with(Fault::None)), End::Whole);
            let named =
                journey.told.iter().any(|told| told.contains("R0101") && told.contains(&format!("{:06}", before.newest)));
            assert!(named, "{name:?} is damaged, and nobody says so: {:?}", journey.told);
            journey.is_as(&wanted).unwrap_or_else(|why| panic!("{name:?}: {why}"));
        }
    }
}

/// What follows a damaged line is lost, and is read from the sources again.
#[test]
fn a_log_that_is_damaged_anywhere_is_named_or_whole_and_every_row_is_there_once() {
    let small = Small::new();
    let wanted = small.reference();
    for part in 0..24 {
        let temp = tempfile::tempdir().expect("a folder");
        let mut journey = Journey::new(temp.path());
        // It ends before its last epoch, so that its last log counts.
        assert_eq!(journey.process(&small, Faulty::with(Fault::Killed { at: 29 })), End::Over);
        let path = temp.path().join(format!("log/{:06}.log", journey.newest));
        harmed(&path, |bytes| {
            let at = bytes.len() * part / 24;
            bytes[at] ^= 0x10;
        });
        assert_eq!(journey.process(&small, Faulty::with(Fault::None)), End::Whole, "{:?}", journey.told);
        journey.is_as(&wanted).unwrap_or_else(|why| panic!("part {part}: {why}; {:?}", journey.told));
    }
}

fn harmed(path: &Path, harm: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    harm(&mut bytes);
    fs::write(path, bytes).expect("it is there");
}

#[expect(clippy::ptr_arg, reason = "one of several ways to harm a file, and others make it shorter")]
fn flip(bytes: &mut Vec<u8>) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
}

fn cut(bytes: &mut Vec<u8>) {
    bytes.pop();
}
