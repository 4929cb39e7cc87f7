//! The words of the command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// A declarative pipeline engine for machine learning on sensor data.
#[derive(Debug, Parser)]
#[command(name = "mliot", version, max_term_width = 100, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 good; 1 the file or one of its tests is refused; 2 wrong usage; \
3 the world failed: a file that cannot be read, a port in use, a full disk.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a file and say everything that is wrong with it
    Check(CheckArgs),
    /// Print a file in the canonical layout, in place
    Fmt(FmtArgs),
    /// Say what would happen to a running graph if a file took the place of another
    Plan(PlanArgs),
    /// Show the graph that a file means
    Graph(GraphArgs),
    /// Print the page of a code such as E0301, or the layers of a file's networks
    Explain(ExplainArgs),
    /// Run the file's own tests
    #[cfg(feature = "run")]
    Test(TestArgs),
    /// Run a file over its recordings: learn, predict out of sample, report
    #[cfg(feature = "run")]
    Replay(ReplayArgs),
    /// Judge the champions of a replay on another recording, without learning from it
    #[cfg(feature = "run")]
    Score(ScoreArgs),
    /// Run a file live: learn, serve, watch the file and rewire on every save
    #[cfg(feature = "run")]
    Run(RunArgs),
    /// List, compare, promote, roll back, pin and prune the models of a file
    #[cfg(feature = "run")]
    Models(ModelsArgs),
    /// Learn a kept model once more from its manifest, and say whether every byte is the same
    #[cfg(feature = "run")]
    Verify(VerifyArgs),
    /// Show what a run has kept: epochs, log, states, positions, waiting rows
    #[cfg(feature = "run")]
    State(ShowStateArgs),
    /// Show rows of a running pipeline as they pass a stream, a stage or a sink
    #[cfg(feature = "run")]
    Tap(TapArgs),
    /// Follow one row of a running pipeline: what each stage made of it, and where it ended
    #[cfg(feature = "run")]
    Trace(TraceArgs),
    /// List what a run has carried out: edits, ways back, models, with what each of them changed
    #[cfg(feature = "run")]
    History(HistoryArgs),
    /// Take a running pipeline back to the plan before, or to any plan of its history
    #[cfg(feature = "run")]
    Undo(UndoArgs),
    /// Let the edit take place that waits under `run --confirm`
    #[cfg(feature = "run")]
    Confirm(ConfirmArgs),
    /// Carry out one trial: a request on standard input, the fitted model on standard output
    #[cfg(feature = "run")]
    #[command(hide = true)]
    Worker,
}

/// The file, and what a caller may set in it.
#[derive(Clone, Debug, ClapArgs)]
pub struct FileArgs {
    /// The pipeline
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Set a `param` of the file; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
}

/// The two sides of the first `=`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        Some(_) | None => Err("a name, `=` and a value are needed".to_owned()),
    }
}

#[derive(Debug, ClapArgs)]
pub struct CheckArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// One JSON object with all diagnostics
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct FmtArgs {
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Change nothing; fail if a file is not in the canonical layout
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, ClapArgs)]
pub struct PlanArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// The file that runs now, or `running` for the process that runs it [default: `running`, if it does; else everything is new]
    #[arg(long, value_name = "FILE|running")]
    pub against: Option<PathBuf>,
    #[cfg(feature = "run")]
    #[command(flatten)]
    pub state: StateArgs,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct GraphArgs {
    #[command(flatten)]
    pub file: FileArgs,
    /// In the language of Graphviz
    #[arg(long, conflicts_with = "json")]
    pub dot: bool,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct ExplainArgs {
    /// The code of a message, or a file with networks
    #[arg(value_name = "CODE | FILE")]
    pub what: String,
    /// Only this network
    pub network: Option<String>,
    /// Give a param another value
    #[arg(long, value_name = "PARAM=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
}

#[cfg(feature = "run")]
pub use machines::*;

/// What only the machines can do.
#[cfg(feature = "run")]
mod machines {
    use super::{ClapArgs, FileArgs, PathBuf, Subcommand, pair};

    #[derive(Debug, ClapArgs)]
    pub struct TestArgs {
        #[command(flatten)]
        pub file: FileArgs,
        #[arg(long)]
        pub json: bool,
    }

    /// Where models and positions are kept.
    #[derive(Clone, Debug, ClapArgs)]
    pub struct StateArgs {
        /// The state folder [default: .mliot/FILE beside the file]
        #[arg(long, value_name = "DIR")]
        pub state: Option<PathBuf>,
    }

    #[derive(Debug, ClapArgs)]
    pub struct ReplayArgs {
        #[command(flatten)]
        pub file: FileArgs,
        /// Read a source from another recording: `room=other.csv.gz` keeps the options of the one in the file
        #[arg(long = "input", value_name = "SOURCE=PATH", value_parser = pair)]
        pub inputs: Vec<(String, String)>,
        #[command(flatten)]
        pub state: StateArgs,
        /// Write `report.json` and `report.html`, a page that needs nothing beside itself, into this folder
        #[arg(long, value_name = "DIR")]
        pub report: Option<PathBuf>,
        /// Learn the champion so many times more with other seeds, and from its rows in other orders: how much is chance?
        #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=1000))]
        pub sensitivity: usize,
        /// Train also where the state folder has models that learned from these very rows
        #[arg(long)]
        pub anew: bool,
        /// One JSON object: tasks, nodes, edges, rows a second
        #[arg(long)]
        pub json: bool,
    }

    #[derive(Debug, ClapArgs)]
    pub struct ScoreArgs {
        #[command(flatten)]
        pub file: FileArgs,
        /// The recording to judge on: `room=other.csv.gz` keeps the options of the one in the file
        #[arg(long = "input", value_name = "SOURCE=PATH", value_parser = pair, required = true)]
        pub inputs: Vec<(String, String)>,
        #[command(flatten)]
        pub state: StateArgs,
        #[arg(long)]
        pub json: bool,
    }

    #[derive(Debug, ClapArgs)]
    pub struct RunArgs {
        #[command(flatten)]
        pub file: FileArgs,
        #[command(flatten)]
        pub state: StateArgs,
        /// Begin anew: put what a former run has left aside, and keep its models
        #[arg(long)]
        pub fresh: bool,
        /// Between two epochs, in which everything is kept for a restart, such as `30s` [default: 10s]
        #[arg(long, value_name = "TIME", value_parser = span)]
        pub epoch_every: Option<std::time::Duration>,
        /// Look at the file and what it uses so often, such as `500ms`, where a network's disk sends no events
        #[arg(long, value_name = "TIME", value_parser = span, num_args = 0..=1, require_equals = true)]
        #[arg(default_missing_value = "250ms")]
        pub poll: Option<std::time::Duration>,
        /// Ask before an edit that would lose something: it waits for `mliot confirm`, or for y or n where you type
        #[arg(long)]
        pub confirm: bool,
        /// How long it waits before it is dropped [default: 10min]
        #[arg(long, value_name = "TIME", value_parser = span, requires = "confirm")]
        pub confirm_within: Option<std::time::Duration>,
        /// After an edit keep what it replaced, fed and mute, for so long, and go back to it by itself where nodes fail or drop
        /// more rows than before, such as `30s` [default: not at all]
        #[arg(long, value_name = "TIME", value_parser = span)]
        pub probation: Option<std::time::Duration>,
        /// Rows of a file that has an end (Parquet, Arrow, JSON) wait at most so long for others, such as `10s` [default: 60s]
        #[arg(long, value_name = "TIME", value_parser = span)]
        pub segment_every: Option<std::time::Duration>,
        /// One JSON object a line for each event
        #[arg(long)]
        pub json: bool,
    }

    /// A time such as `500ms` or `30s`, at least 10ms.
    fn span(text: &str) -> Result<std::time::Duration, String> {
        let wrong = || "a time is needed, such as `500ms` or `30s`".to_owned();
        let at = text.find(|sign: char| !sign.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(at);
        let scale = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "min" => 60_000,
            _ => return Err(wrong()),
        };
        let ms = number.parse::<u64>().ok().and_then(|number| number.checked_mul(scale)).ok_or_else(wrong)?;
        if ms < 10 { Err("at least 10ms are needed".to_owned()) } else { Ok(std::time::Duration::from_millis(ms)) }
    }

    #[derive(Debug, ClapArgs)]
    pub struct ShowStateArgs {
        /// The pipeline whose state folder is shown
        #[arg(value_name = "FILE")]
        pub file: PathBuf,
        #[command(flatten)]
        pub state: StateArgs,
        #[arg(long)]
        pub json: bool,
    }

    #[derive(Debug, ClapArgs)]
    pub struct HistoryArgs {
        /// The pipeline whose history is shown
        #[arg(value_name = "FILE")]
        pub file: PathBuf,
        /// The file as it was for this plan
        #[arg(long, value_name = "PLAN")]
        pub show: Option<u64>,
        #[command(flatten)]
        pub state: StateArgs,
        #[arg(long)]
        pub json: bool,
    }

    #[derive(Debug, ClapArgs)]
    pub struct TapArgs {
        /// Where: `air`, `room.bad`, `air.late`, a stage such as `air/scan`, or a sink
        #[arg(value_name = "STREAM")]
        pub stream: String,
        /// The pipeline that runs
        #[arg(value_name = "FILE")]
        pub file: PathBuf,
        /// Only rows for which it is true, such as `co2 > 800ppm`
        #[arg(long = "where", value_name = "CONDITION")]
        pub condition: Option<String>,
        /// So many rows, then end
        #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u64).range(1..))]
        pub limit: Option<u64>,
        #[command(flatten)]
        pub state: StateArgs,
        /// One JSON object a line
        #[arg(long)]
        pub json: bool,
    }

    #[derive(Debug, ClapArgs)]
    pub struct TraceArgs {
        #[command(flatten)]
        pub file: FileArgs,
        /// A row of the recordings instead of one that is still to come; nothing has to run, and nothing is written
        #[arg(long)]
        pub recorded: bool,
        /// The next row that meets it where it comes in, such as `co2 > 800ppm` [default: the next row]
        #[arg(long = "where", value_name = "CONDITION", conflicts_with = "ordinal")]
        pub condition: Option<String>,
        /// Of this source, where there are several
        #[arg(long, value_name = "SOURCE", conflicts_with = "ordinal")]
        pub source: Option<String>,
        /// The row with this number among all that come in, counted from 0; of a run it must be still to come
        #[arg(long, value_name = "N")]
        pub ordinal: Option<u64>,
        #[command(flatten)]
        pub state: StateArgs,
        /// One JSON object
        #[arg(long)]
        pub json: bool,
    }

    #[derive(Debug, ClapArgs)]
    pub struct UndoArgs {
        /// The pipeline that runs
        #[arg(value_name = "FILE")]
        pub file: PathBuf,
        /// The number of a plan, as `mliot history` lists it [default: the plan before the one that runs]
        #[arg(long, value_name = "PLAN")]
        pub to: Option<u64>,
        #[command(flatten)]
        pub state: StateArgs,
        #[arg(long)]
        pub json: bool,
    }

    #[derive(Debug, ClapArgs)]
    pub struct ConfirmArgs {
        /// The pipeline that runs
        #[arg(value_name = "FILE")]
        pub file: PathBuf,
        /// Drop the edit that waits
        #[arg(long)]
        pub no: bool,
        #[command(flatten)]
        pub state: StateArgs,
        #[arg(long)]
        pub json: bool,
    }

    #[derive(Debug, ClapArgs)]
    pub struct VerifyArgs {
        /// A version such as `occupancy-3`, or a task, whose champion is meant
        #[arg(value_name = "TASK|VERSION")]
        pub what: String,
        /// The pipeline whose state folder has it
        #[arg(value_name = "FILE")]
        pub file: PathBuf,
        /// Read a source from this recording instead of the one that it was learned from
        #[arg(long = "input", value_name = "SOURCE=PATH", value_parser = pair)]
        pub inputs: Vec<(String, String)>,
        /// Compute the features in batches of so many rows at most; it changes nothing [default: 8192]
        #[arg(long, value_name = "ROWS", value_parser = batch)]
        pub batch: Option<usize>,
        #[command(flatten)]
        pub state: StateArgs,
        #[arg(long)]
        pub json: bool,
    }

    /// At least one row.
    fn batch(text: &str) -> Result<usize, String> {
        text.parse().ok().filter(|rows| *rows > 0).ok_or_else(|| "a number of rows is needed, at least 1".to_owned())
    }

    #[derive(Debug, ClapArgs)]
    #[command(args_conflicts_with_subcommands = false)]
    pub struct ModelsArgs {
        #[command(flatten)]
        pub file: FileArgs,
        /// The state folder [default: .mliot/FILE beside the file]
        #[arg(long, value_name = "DIR", global = true)]
        pub state: Option<PathBuf>,
        #[arg(long, global = true)]
        pub json: bool,
        /// [default: list all versions]
        #[command(subcommand)]
        pub action: Option<ModelsAction>,
    }

    /// What is done with them. Where the pipeline runs, the run does it.
    #[derive(Debug, Subcommand)]
    pub enum ModelsAction {
        /// Two versions side by side: figures, requirements, settings, costs
        Compare {
            /// A version such as `occupancy-3`, or a task, whose champion is meant
            #[arg(value_name = "VERSION")]
            one: String,
            #[arg(value_name = "VERSION")]
            other: String,
        },
        /// Let this version serve, until something newer is learned
        Promote {
            #[arg(value_name = "VERSION")]
            version: String,
        },
        /// Let whoever served before serve again
        Rollback {
            #[arg(value_name = "TASK")]
            task: String,
        },
        /// Let this version serve, and let nothing take its place
        Pin {
            /// A version, or a task, whose champion is meant
            #[arg(value_name = "VERSION")]
            version: String,
        },
        /// Let what is learned from now on take the champion's place again
        Unpin {
            #[arg(value_name = "TASK")]
            task: String,
        },
        /// Remove old trainings; those of champions, of whoever served before them, and of what a run uses stay
        Prune {
            /// Trainings that stay of each task, besides
            #[arg(long, value_name = "N", default_value_t = 3)]
            keep: usize,
            /// Of this task alone
            #[arg(long, value_name = "TASK")]
            task: Option<String>,
        },
    }
}
