//! Floor 10: the command line. Reads arguments, calls one floor below, prints; decides nothing else.

mod args;
mod check;
mod explain;
mod format;
mod graph;
mod load;
mod plan;
mod terminal;

#[cfg(feature = "run")]
mod books;
#[cfg(feature = "run")]
mod control;
#[cfg(feature = "run")]
mod history;
#[cfg(feature = "run")]
mod inputs;
#[cfg(feature = "run")]
mod models;
#[cfg(feature = "run")]
mod place;
#[cfg(feature = "run")]
mod progress;
#[cfg(feature = "run")]
mod replay;
#[cfg(feature = "run")]
mod run;
#[cfg(feature = "run")]
mod score;
#[cfg(feature = "run")]
mod state;
#[cfg(feature = "run")]
mod tap;
#[cfg(feature = "run")]
mod test;
#[cfg(feature = "run")]
mod trace;
#[cfg(feature = "run")]
mod verify;
#[cfg(feature = "run")]
mod worker;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

/// How a command ended. The numbers are part of the program's contract and stand in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 0: done, nothing to complain about.
    Good,
    /// 1: the file has errors, a test failed, or a formatted file differs.
    Refused,
    /// 3: the world failed: a file that cannot be read, a port in use, a crash while running.
    Failed,
}

/// Runs the program with the arguments of the process. Wrong usage ends with 2, which clap says itself.
pub fn main() -> ExitCode {
    match dispatch(Args::parse().command) {
        Outcome::Good => ExitCode::SUCCESS,
        Outcome::Refused => ExitCode::from(1),
        Outcome::Failed => ExitCode::from(3),
    }
}

fn dispatch(command: Command) -> Outcome {
    match command {
        Command::Check(args) => check::check(&args),
        Command::Fmt(args) => format::format(&args),
        Command::Plan(args) => plan::plan(&args),
        Command::Graph(args) => graph::graph(&args),
        Command::Explain(args) => explain::explain(&args),
        #[cfg(feature = "run")]
        Command::Test(args) => test::test(&args),
        #[cfg(feature = "run")]
        Command::Replay(args) => replay::replay(&args),
        #[cfg(feature = "run")]
        Command::Score(args) => score::score(&args),
        #[cfg(feature = "run")]
        Command::Run(args) => run::run(&args),
        #[cfg(feature = "run")]
        Command::Models(args) => models::models(&args),
        #[cfg(feature = "run")]
        Command::Verify(args) => verify::verify(&args),
        #[cfg(feature = "run")]
        Command::State(args) => state::state(&args),
        #[cfg(feature = "run")]
        Command::History(args) => history::history(&args),
        #[cfg(feature = "run")]
        Command::Tap(args) => tap::tap(&args),
        #[cfg(feature = "run")]
        Command::Trace(args) => trace::trace(&args),
        #[cfg(feature = "run")]
        Command::Undo(args) => control::undo(&args),
        #[cfg(feature = "run")]
        Command::Confirm(args) => control::confirm(&args),
        #[cfg(feature = "run")]
        Command::Worker => worker::worker(),
    }
}
