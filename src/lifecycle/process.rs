//! Jobs in processes of their own: a crash costs one trial, a cancelled one is killed, and none disturbs who serves.

use std::ffi::OsString;
use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::model::Control;

use super::worker::{Reply, Request};
use super::{Data, Done, Job, TrialError, Trials, wire};

/// How soon a cancelled worker is killed.
const LOOK: Duration = Duration::from_millis(20);
/// What is kept of a worker's complaints, in bytes.
const COMPLAINTS_MAX: usize = 2_000;

/// Starts `program arguments…` for each job, which must be `mliot worker`.
#[derive(Clone, Debug)]
pub struct Processes {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub parallel: usize,
}

impl Processes {
    /// This very program, on half the cores unless the policy says how many.
    pub fn of_this_program(cores: Option<u32>) -> io::Result<Processes> {
        let half = std::thread::available_parallelism().map_or(1, |cores| cores.get() / 2);
        let parallel = cores.map_or(half, |cores| cores as usize).max(1);
        Ok(Processes { program: std::env::current_exe()?, arguments: vec!["worker".into()], parallel })
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env("RAYON_NUM_THREADS", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    }
}

impl Trials for Processes {
    fn parallel(&self) -> usize {
        self.parallel.max(1)
    }

    fn run(&self, data: &Data, job: &Job, control: &Control) -> Result<Done, TrialError> {
        let table = data.encoded().map_err(TrialError::failed)?;
        let request = Request { task: data.task.clone(), purpose: data.purpose, job: job.clone() };
        let request = serde_json::to_vec(&request).map_err(TrialError::failed)?;
        let mut child = self.start().map_err(|error| {
            TrialError::failed(format!("no worker could be started from {}: {error}", self.program.display()))
        })?;
        let result = talk(&mut child, &request, table, control);
        // Whatever happened, nothing of the worker stays behind.
        let _ = child.kill();
        let _ = child.wait();
        result
    }
}

/// Sends the request, and waits for the reply or for `control`.
fn talk(child: &mut Child, request: &[u8], table: &[u8], control: &Control) -> Result<Done, TrialError> {
    let (Some(mut input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
        unreachable!("all three were asked for");
    };
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // A worker that is gone says so at its other end.
            let sent = wire::write_frame(&mut input, request).and_then(|()| wire::write_frame(&mut input, table));
            let _ = sent.and_then(|()| input.flush());
        });
        let complaints = scope.spawn(move || last_words(errors));
        let (sender, receiver) = channel();
        scope.spawn(move || {
            // Nobody listens any more where the job was cancelled.
            let _ = sender.send(read_reply(&mut BufReader::new(output)));
        });
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(Ok(result)) => return result,
                Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => {
                    let _ = child.kill();
                    return Err(TrialError::Crashed(complaints.join().unwrap_or_default()));
                }
                Err(RecvTimeoutError::Timeout) if control.proceed().is_err() => {
                    let _ = child.kill();
                    return Err(TrialError::Cancelled);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    })
}

fn read_reply(output: &mut impl Read) -> io::Result<Result<Done, TrialError>> {
    let reply: Reply = serde_json::from_slice(&wire::read_frame(output)?)?;
    let Ok(mut done) = reply.result else { return Ok(reply.result) };
    done.bundles = (0..reply.bundles).map(|_| wire::read_frame(output)).collect::<io::Result<_>>()?;
    Ok(Ok(done))
}

/// The last non-empty lines that the worker wrote to its error output.
fn last_words(mut errors: impl Read) -> String {
    let mut kept: Vec<u8> = Vec::new();
    let mut piece = [0; 1024];
    while let Ok(count @ 1..) = errors.read(&mut piece) {
        kept.extend_from_slice(&piece[..count]);
        let over = kept.len().saturating_sub(COMPLAINTS_MAX);
        kept.drain(..over);
    }
    String::from_utf8_lossy(&kept).lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
