//! Both sides of the door, with a run that is a closure.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::super::run::Signal;
use super::super::stop::{Stop, Wanted};
use super::super::threads::connections;
use super::words::Running;
use super::*;
use crate::diag::{Code, Diagnostic};

/// Never spent by a test that passes.
const WAIT: Duration = Duration::from_secs(30);

/// A run that treats each call like this.
fn open(state: &Path, mut heed: impl FnMut(Call) + Send + 'static) -> (Door, Runtime) {
    let runtime = connections().unwrap();
    let (to, signals) = sync_channel(8);
    std::thread::spawn(move || {
        for signal in signals {
            if let Signal::Call(call) = signal {
                heed(call);
            }
        }
    });
    (Door::open(state, to, runtime.handle()).unwrap(), runtime)
}

fn running() -> Answer {
    Answer::Running(Running {
        pipeline: "room.mliot".into(),
        rows: 7,
        plan: Some(3),
        back_to: None,
        differs: None,
        waits: false,
    })
}

fn asked(state: &Path) -> Result<(Answer, Vec<Answer>), Diagnostic> {
    let mut before = Vec::new();
    let last = ask(state, &Request::Running, WAIT, |answer| before.push(answer.clone()))?;
    Ok((last, before))
}

#[test]
fn answers_on_the_way_come_before_the_last_one() {
    let state = tempfile::tempdir().unwrap();
    let word = || Answer::Word { text: "nearly\nthere".into() };
    let _open = open(state.path(), move |Call { request, reply }| {
        assert_eq!(request, Request::Running);
        assert!(reply.say(word()) && reply.say(word()) && reply.say(running()));
    });
    for _ in 0..2 * CONNECTIONS_MAX {
        assert_eq!(asked(state.path()).unwrap(), (running(), vec![word(), word()]));
    }
}

#[test]
fn only_its_owner_may_come_in_and_it_leaves_nothing_behind() {
    let state = tempfile::tempdir().unwrap();
    let door = open(state.path(), drop);
    let socket = state.path().join("control");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    drop(door);
    assert!(!socket.exists());
}

#[test]
fn where_nothing_runs_that_is_said() {
    let state = tempfile::tempdir().unwrap();
    let why = asked(state.path()).unwrap_err();
    assert_eq!(why.code, Code::R0202);
    assert!(why.message.contains("nothing runs"), "{why:?}");
    // What a process that was killed left behind.
    drop(std::os::unix::net::UnixListener::bind(state.path().join("control")).unwrap());
    assert_eq!(asked(state.path()).unwrap_err(), why);
    let _open = open(state.path(), |call| _ = call.reply.say(running()));
    assert_eq!(asked(state.path()).unwrap().0, running());
}

#[test]
fn a_run_that_ends_says_so_to_whoever_waits() {
    let state = tempfile::tempdir().unwrap();
    let _open = open(state.path(), drop);
    let Answer::Refused(refused) = asked(state.path()).unwrap().0 else { panic!("nobody answered") };
    assert!(refused.text.contains("the pipeline is ending"), "{refused:?}");
    assert_eq!(refused.diagnostics[0]["code"], "R0006");
}

#[test]
fn whoever_hangs_up_is_not_answered_any_more() {
    use std::io::{BufRead, BufReader, Write};
    let state = tempfile::tempdir().unwrap();
    let (gone, is_gone) = sync_channel(1);
    let _open = open(state.path(), move |Call { reply, .. }| {
        let pause = Stop::default();
        while !reply.is_closed() {
            reply.say(Answer::Word { text: "still here".into() });
            pause.wait(Duration::from_millis(1), Wanted::End);
        }
        gone.send(()).unwrap();
    });
    let mut stream = std::os::unix::net::UnixStream::connect(state.path().join("control")).unwrap();
    stream.write_all(b"{\"ask\":\"running\"}\n").unwrap();
    let mut word = String::new();
    BufReader::new(stream).read_line(&mut word).unwrap();
    assert_eq!(word, "{\"answer\":\"word\",\"text\":\"still here\"}\n");
    is_gone.recv_timeout(WAIT).unwrap();
}

#[test]
fn what_is_no_request_is_refused_and_so_is_one_that_ends_in_the_middle() {
    use std::io::{Read, Write};
    let state = tempfile::tempdir().unwrap();
    let _open = open(state.path(), |_| panic!("it was understood"));
    for (text, part) in [("{\"ask\":\"sing\"}\n", "unknown variant"), ("{\"ask\":", "ends in the middle"), ("\n", "EOF")] {
        let mut stream = std::os::unix::net::UnixStream::connect(state.path().join("control")).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(part) && answer.contains("R0202"), "{answer}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_long_path_is_no_hindrance() {
    let state = tempfile::tempdir().unwrap();
    let deep = state.path().join("a-folder-with-a-long-name/".repeat(8));
    std::fs::create_dir_all(&deep).unwrap();
    let _open = open(&deep, |call| _ = call.reply.say(running()));
    assert_eq!(asked(&deep).unwrap().0, running());
}
