//! Floor 7: policies at work. From a task's collected table to models that were searched for, measured, chosen and kept.
//!
//! [`train`] is the whole of it: split, baselines, search, choice, refit, report. Everything that decides is a pure function;
//! fits run wherever a [`Trials`] runs them (worker processes, or threads of this one), and clocks only ever stop a search.

mod act;
mod again;
mod assign;
mod baselines;
mod candidates;
mod choose;
mod compare;
mod complaint;
mod data;
mod error;
mod evidence;
#[cfg(test)]
mod fixtures;
mod judge;
mod keys;
mod measure;
mod memory;
mod pool;
mod process;
mod registry;
mod report;
mod score;
mod search;
mod sensitivity;
mod series;
mod shelf;
mod split;
mod steps;
mod table;
mod train;
mod trial;
mod units;
mod unsupported;
mod verify;
mod wire;
mod worker;

pub use act::{Act, no_version};
pub use again::{Again, Current, Decision, Kept, decide};
pub use assign::{assignment, assignment_after, assignment_of};
pub use candidates::Space;
pub use choose::{Chosen, Member, Spared, Standing, Verdict, choose, figure};
pub use compare::{Comparison, compare};
pub use data::Data;
pub use evidence::{Bin, Evidence, Interval};
pub use keys::{KeyScore, KeyScores};
pub use measure::Measured;
pub use memory::{Counted, counted};
pub use process::Processes;
pub use registry::{Identity, Manifest, Pruned, Registry, RegistryError, Reign, Software, Stored, Version};
pub use report::{CandidateReport, ChampionReport, Report, RequirementReport, RowCounts};
pub use score::{Scored, score};
pub use search::{Progress, Stopped};
pub use sensitivity::{Sensitivity, sensitivity};
pub use shelf::Shelf;
pub use split::{Part, Round, Split, split};
pub use steps::StepReport;
pub use table::Table;
pub use train::{Generation, Recalled, TrainedMember, recall, train};
pub use trial::{Done, InProcess, Job, TrialError, Trials};
pub use unsupported::{unsupported, unsupported_task};
pub use verify::{FileVerdict, RowsVerdict, Verified, learned_by, verify};
pub use worker::serve_worker;
