//! Folders, links and pipes on the way to the file, or in its place.

use super::*;

#[test]
fn a_folder_in_the_place_of_the_file_is_said_and_may_go_again() {
    for events in [true, false] {
        let bench = Bench::with(events, limits());
        fs::remove_file(bench.file()).unwrap();
        fs::create_dir(bench.file()).unwrap();
        assert_eq!(bench.next(), Seen::Trouble(Trouble::Folder));
        fs::remove_dir(bench.file()).unwrap();
        save_in_place(&bench, "one");
        bench.sees("one");
    }
}

/// Whoever opens a pipe waits for its writer, and there is none.
#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_the_file_is_not_waited_for() {
    let bench = Bench::new();
    fs::remove_file(bench.file()).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(bench.file()).status().unwrap().success());
    assert_eq!(bench.next(), Seen::Trouble(Trouble::NoFile));
    rename_over(&bench, "two");
    bench.sees("two");
}

#[test]
fn a_folder_that_vanishes_and_comes_back_is_followed_on() {
    for events in [true, false] {
        let bench = Bench::at_name(tempfile::tempdir().unwrap(), "plant/hall/room.mliot", events, limits());
        fs::rename(bench.at("plant"), bench.at("away")).unwrap();
        assert_eq!(bench.next(), Seen::Trouble(Trouble::Gone));
        fs::rename(bench.at("away"), bench.at("plant")).unwrap();
        bench.sees("one");
        fs::remove_dir_all(bench.at("plant")).unwrap();
        assert_eq!(bench.next(), Seen::Trouble(Trouble::Gone));
        fs::create_dir_all(bench.at("plant/hall")).unwrap();
        save_in_place(&bench, "two");
        bench.sees("two");
        rename_over(&bench, "three");
        bench.sees("three");
    }
}

#[test]
fn a_folder_in_the_place_of_another_brings_its_file_once() {
    for events in [true, false] {
        let patient = WatchLimits { patience: ARRIVES, ..limits() };
        let bench = Bench::at_name(tempfile::tempdir().unwrap(), "plant/room.mliot", events, patient);
        for version in ["v1", "v2"] {
            fs::create_dir(bench.at(version)).unwrap();
            fs::write(bench.at(version).join("room.mliot"), version).unwrap();
            fs::rename(bench.at("plant"), bench.at(&format!("before {version}"))).unwrap();
            fs::rename(bench.at(version), bench.at("plant")).unwrap();
            bench.sees(version);
        }
        bench.sees_nothing();
    }
}

#[cfg(unix)]
#[test]
fn a_link_whose_file_is_gone_is_followed_on() {
    for events in [true, false] {
        let bench = Bench::with(events, limits());
        fs::create_dir(bench.at("v1")).unwrap();
        fs::rename(bench.file(), bench.at("v1/text")).unwrap();
        std::os::unix::fs::symlink("v1/text", bench.file()).unwrap();
        fs::remove_file(bench.at("v1/text")).unwrap();
        assert_eq!(bench.next(), Seen::Trouble(Trouble::Gone));
        fs::write(bench.at("v1/text"), "two").unwrap();
        bench.sees("two");
    }
}

#[cfg(unix)]
#[test]
fn a_flip_of_a_folders_link_is_seen() {
    use std::os::unix::fs::symlink;
    for events in [true, false] {
        let bench = Bench::with(events, limits());
        fs::remove_file(bench.file()).unwrap();
        for version in ["v1", "v2", "v3"] {
            fs::create_dir(bench.at(version)).unwrap();
            fs::write(bench.at(version).join("room.mliot"), version).unwrap();
            symlink(version, bench.at(".data.tmp")).unwrap();
            fs::rename(bench.at(".data.tmp"), bench.at(".data")).unwrap();
            if version == "v1" {
                symlink(".data/room.mliot", bench.file()).unwrap();
            }
            bench.sees(version);
        }
    }
}
