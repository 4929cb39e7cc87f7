//! What a file says, as plain data. Every node that a message may point to carries its place.
//!
//! A tree holds no wrong spellings: the parser reports them and keeps what they were meant to say, or drops the
//! declaration. Words of a closed set are enums; literals are values, their spelling is found through the span.

mod expr;
mod network;
mod policy;
mod sink;
mod source;
mod stage;
mod stdlib;
mod stream;
mod task;
mod test;
mod types;
mod value;

pub use expr::{Arg, BinaryOp, Call, ColumnItem, ColumnSet, ColumnSetKind, Expr, ExprKind, Field, MatchArm, Pattern};
pub use expr::{PatternKind, Record, UnaryOp};
pub use network::{Layer, LayerKind, Network, NetworkInput, NetworkParam};
pub use policy::{Bound, CompareOp, Comparison, Extent, Keep, Kept, Margin, MarginSign, Metric, Objective, ObjectiveDirection};
pub use policy::{Otherwise, OtherwiseKind, Policy, PolicyClauses, Priority, PriorityLevel, Promote, Requirement, Search};
pub use policy::{Trigger, TriggerKind, Validate, ValidateKind, When};
pub use sink::{Serve, Sink};
pub use source::{Column, ColumnNames, Columns, Fault, FaultKind, Feed, FeedKind, NullValues, Origin, OriginKind, Simulate};
pub use source::{DriftChange, SimulatedKey, SimulatedRows, Source, Table, TimeBasis, TimeClause};
pub use stage::{Across, Apply, Asof, Assign, Dedupe, Drop, Entry, Fill, FillMethod, Join, Limit, Lookup, OnChange};
pub use stage::{OnChangeKind, Predict, Predicted, Rename, Renaming, Resample, Sample, Scan, Select, SelectItem, Selection};
pub use stage::{SetColumns, Sort, Stage, StageKind, Summarize, Take, TakeItem, Throttle, Top, Union, Unnest, Where, Window};
pub use stage::{WindowAlign, WindowSpec, WindowSpecKind};
pub use stdlib::{Example, Function, FunctionKind, FunctionParam, UnitBody, UnitDeclaration, UnitRule};
pub use stream::{Connector, Keys, Let, Param, Pipe, Stream, StreamRef, Transform};
pub use task::{Forecast, Goal, Group, History, HoldOut, HoldOutKind, Horizon, LabelMatch, Labels, ModelChoice, Models};
pub use task::{ModelsKind, Per, Start, StartKind, Target, Task, Train};
pub use test::{Change, ChangeClass, CountIs, Edit, EditKind, Expect, Expectation, ExpectationKind, Given, GivenRows, Step};
pub use test::{StepKind, Test, TestFault, TestFaultKind};
pub use types::{Dim, DimKind, EnumItem, Type, TypeKind, UnitExpr, UnitFactor};
pub use value::{Number, Quantity, Text};

use crate::base::{Name, Span};

/// One `.mliot` text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    pub uses: Vec<Use>,
    /// In the order of the text.
    pub declarations: Vec<Declaration>,
    /// Names whose declaration could not be read: whoever refers to them is not told that they do not exist.
    pub broken: Vec<Ident>,
}

/// A name where it stands. Backticks are taken off.
#[derive(Clone, Debug, PartialEq)]
pub struct Ident {
    pub name: Name,
    pub span: Span,
}

/// `use "features.mliot"` or `use std.signal`.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    pub doc: Option<Doc>,
    pub what: Used,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Used {
    /// A path, relative to the file that says it.
    File(Text),
    /// `std.signal`, as its parts.
    Module(Vec<Ident>),
}

/// The lines of a `##` comment without their marks, joined by newlines.
#[derive(Clone, Debug, PartialEq)]
pub struct Doc {
    pub text: String,
    pub span: Span,
}

/// One declaration; `span` is from its word to its end, the doc comment lies before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    pub doc: Option<Doc>,
    pub kind: DeclarationKind,
    pub span: Span,
}

#[expect(clippy::large_enum_variant, reason = "a file has hundreds at most; readers match without a pointer")]
#[derive(Clone, Debug, PartialEq)]
pub enum DeclarationKind {
    Param(Param),
    Let(Let),
    Source(Source),
    Stream(Stream),
    Transform(Transform),
    Table(Table),
    Network(Network),
    Task(Task),
    Policy(Policy),
    Sink(Sink),
    Serve(Serve),
    Test(Test),
    /// In `stdlib/` only.
    Function(Function),
    /// In `stdlib/` only.
    Unit(UnitDeclaration),
}

/// The name that a declaration gives, and the one it had before a rename: `brisk (was fast)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub name: Ident,
    pub was: Option<Ident>,
}

impl DeclarationKind {
    /// The name that it declares; `serve` and `test` declare none.
    pub fn name(&self) -> Option<&Ident> {
        match self {
            DeclarationKind::Param(it) => Some(&it.head.name),
            DeclarationKind::Let(it) => Some(&it.head.name),
            DeclarationKind::Source(it) => Some(&it.head.name),
            DeclarationKind::Stream(it) => Some(&it.head.name),
            DeclarationKind::Transform(it) => Some(&it.head.name),
            DeclarationKind::Table(it) => Some(&it.head.name),
            DeclarationKind::Network(it) => Some(&it.head.name),
            DeclarationKind::Task(it) => Some(&it.head.name),
            DeclarationKind::Policy(it) => Some(&it.head.name),
            DeclarationKind::Sink(it) => Some(&it.head.name),
            DeclarationKind::Function(it) => Some(&it.name),
            DeclarationKind::Unit(it) => Some(&it.name),
            DeclarationKind::Serve(_) | DeclarationKind::Test(_) => None,
        }
    }
}
