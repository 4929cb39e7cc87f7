//! What must hold.

use crate::base::Span;

use super::{CompareOp, Comparison, Expr, Ident, Record, StreamRef, Text};

/// `test "…" real { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    pub name: Text,
    /// Where `real` stands: real connectors instead of memory.
    pub real: Option<Span>,
    /// In the order in which they are carried out.
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub kind: StepKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    Given(Given),
    Edit(Edit),
    Fault(TestFault),
    Expect(Expect),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    pub source: Ident,
    pub defaults: Option<Record>,
    pub rows: GivenRows,
}

#[derive(Clone, Debug, PartialEq)]
pub enum GivenRows {
    Rows(Vec<Record>),
    /// `from recorded rows 1..1000`; without `rows` all of them. The range is an expression, counted from 1.
    Recorded {
        rows: Option<Expr>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    pub kind: EditKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EditKind {
    /// `edit set fresh = 500`: a live edit of a param.
    Set { param: Ident, value: Expr },
    /// `edit apply "v2.mliot"`
    Apply(Text),
}

#[derive(Clone, Debug, PartialEq)]
pub struct TestFault {
    pub kind: TestFaultKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TestFaultKind {
    Drop { source: Ident, share: Expr },
    Duplicate { source: Ident, share: Expr },
    Delay { source: Ident, by: Expr },
    Disconnect { source: Ident },
    Restart,
}

/// `expect lost 0, doubled 0`
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    pub expectations: Vec<Expectation>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    pub kind: ExpectationKind,
    pub span: Span,
}

#[expect(clippy::large_enum_variant, reason = "a test has a handful; readers match without a pointer")]
#[derive(Clone, Debug, PartialEq)]
pub enum ExpectationKind {
    /// `air [ … ] within 0.001`
    Rows {
        stream: StreamRef,
        rows: Vec<Record>,
        tolerance: Option<Expr>,
    },
    /// `air count 1`
    Count {
        stream: StreamRef,
        count: CountIs,
    },
    /// `accuracy of occupancy >= 90%`
    Metric {
        comparison: Comparison,
        task: Ident,
    },
    /// `changes { air.stuffy: retuned }`
    Changes(Vec<Change>),
    Lost(Expr),
    Doubled(Expr),
}

#[derive(Clone, Debug, PartialEq)]
pub enum CountIs {
    Exactly(Expr),
    /// Both ends included.
    Between {
        low: Expr,
        high: Expr,
    },
    Compare {
        op: CompareOp,
        value: Expr,
    },
}

/// What an edit does to a declaration, or to one entry of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Never empty.
    pub path: Vec<Ident>,
    pub class: ChangeClass,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeClass {
    Same,
    Rewired,
    Retuned,
    Migrated,
    Stale,
    Reset,
    Shadowed,
    Added,
    Removed,
}
