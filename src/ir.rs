//! Floor 2: the typed program as plain, serialisable data. Written by `sema`, read by `plan` and by every machine.
//!
//! Everything is resolved: names exist, column sets are lists, units are converted by explicit [`ExprKind::Convert`]
//! nodes, amounts are numbers. Spans are kept for messages and skipped when serialised, so that a moved line changes no hash.

mod expr;
mod family;
mod function;
mod metric;
pub mod network;
mod policy;
mod program;
mod source;
mod stage;
mod task;
mod types;
mod value;

pub use expr::{BinaryOp, Expr, ExprKind};
pub use family::{FAMILIES, FamilyFacts, NETWORK, SettingFacts, TRAINING, Takes};
pub use function::{Aggregate, Generator, Running, Scalar};
pub use metric::{Better, Differs, Found, Measures, Metric, MetricFacts, MetricKind, ModelCost, Reads};
pub use policy::{
    Choice, ClausePlaces, Goal, HostFigure, Otherwise, Override, Policy, Promote, Requirement, Search, Trigger, Validate,
};
pub use program::{Given, Param, Program, Serve, Sink, Stream, Test};
pub use source::{
    Amount, Connector, CsvOptions, Fault, FileConnector, FileFormat, GeneratedColumn, GeneratorCall, HttpConnector, Limits,
    Origin, PostConnector, Simulate, Source, SourceColumn, TailConnector, TailFrom, TimeSpec,
};
pub use stage::{
    AggregateCall, AggregateEntry, Entry, Filling, JoinKind, JoinOp, KeepOp, KeepRule, OnChange, Op, Outlet, PredictOp, RankOp,
    RankRule, Read, ResampleOp, RunningCall, ScanEntry, Stage, StageKind, Table, Taken, Use, WindowOp, WindowShape,
};
pub use task::{
    Candidate, Choices, Dimension, History, HoldOut, Models, PATH_STEPS_MAX, PER_ROWS, Per, Share, Start, Target, Task,
    TaskKind,
};
pub use types::{Column, EnumItem, Schema, TENSOR_NUMBERS_MAX, Type, tensor_numbers};
pub use value::Value;
