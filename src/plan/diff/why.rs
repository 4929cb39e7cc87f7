//! Why something changes, for people and for whoever carries it out.

use std::fmt;

use crate::base::Name;
use crate::ir::{Type, Value, WindowShape};

#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// Of a whole declaration or of one stage or column.
    New,
    Gone,
    ReadsElsewhere,
    Params(Vec<ParamEdit>),
    /// It is calculated differently.
    Meaning,
    /// A `where` lets other rows through.
    OtherRows,
    /// A join finds other partners, or brings other columns of them.
    Partners,
    /// The file of a table holds something else.
    TableFile(Name),
    /// A column is read from the data differently.
    Field,
    ColumnOrder,
    /// Columns came or went that remember nothing.
    OtherColumns,
    /// Columns that remember something came or went beside others.
    Entries {
        added: Vec<Name>,
        removed: Vec<Name>,
    },
    Keys,
    Window {
        from: WindowShape,
        to: WindowShape,
    },
    Partial,
    /// Other running functions or aggregates.
    Calls,
    /// The same running functions with other settings.
    Settings,
    /// Upstream, these columns mean something else now; empty where it remembers another calculation.
    Remembers(Vec<Name>),
    /// The function was changed in mliot itself.
    Version,
    /// A source whose rows come from elsewhere.
    OtherEnd,
    WritesElsewhere,
    ListensElsewhere,
    Keep,
    FieldsRead,
    Time,
    Limits,
    WrittenColumns,
    Request,
    PredictsBy(Name),
    /// It answers by the models of this task, which changed.
    Follows(Name),
    /// Windows, keys or joins before a task changed: which rows there are.
    NoOldRows,
    /// The source lacks columns that the old features are made of.
    NoOldColumns,
    /// The old features are predictions whose own features changed.
    OldPredictions,
    /// Its old answers are of another kind, or of a task of another name.
    OtherAnswer,
    Task(TaskEdit),
}

/// A param's value, before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamEdit {
    pub name: Name,
    pub ty: Type,
    pub was: Value,
    pub is: Value,
}

/// Which part of a task or its policy changed.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskEdit {
    /// The kind of task or the type of its target.
    Answer,
    Target,
    /// Only how its column is called.
    TargetName,
    Features {
        added: Vec<Name>,
        removed: Vec<Name>,
        /// Their definitions or types changed.
        changed: Vec<Name>,
    },
    FeatureOrder,
    /// Rows, splits and weights of the training set.
    Rows,
    Models,
    /// Goal or requirements.
    Choice,
    Search,
    Validate,
    /// Retraining, promotion, rollback.
    Acts,
}

impl TaskEdit {
    /// Is it settled by choosing again among what was measured?
    pub fn chooses_again(&self) -> bool {
        match self {
            TaskEdit::Choice | TaskEdit::Models => true,
            TaskEdit::Answer
            | TaskEdit::Target
            | TaskEdit::TargetName
            | TaskEdit::Features { .. }
            | TaskEdit::FeatureOrder
            | TaskEdit::Rows
            | TaskEdit::Search
            | TaskEdit::Validate
            | TaskEdit::Acts => false,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::New => f.write_str("new"),
            Why::Gone => f.write_str("no longer in the file"),
            Why::ReadsElsewhere => f.write_str("its rows come from elsewhere; it goes on as it is"),
            Why::Params(edits) => f.write_str(&joined(edits.iter().map(ToString::to_string))),
            Why::Meaning => f.write_str("calculated differently from now on"),
            Why::OtherRows => f.write_str("lets other rows through from now on, for all below"),
            Why::Partners => f.write_str("finds other partners, or brings other columns of them, from now on"),
            Why::TableFile(table) => write!(f, "the file of the table `{table}` has changed"),
            Why::Field => f.write_str("read from the data differently, so it means something else"),
            Why::ColumnOrder => f.write_str("its columns stand in another order"),
            Why::OtherColumns => f.write_str("makes other columns from now on"),
            Why::Entries { added, removed } => write_entries(f, added, removed),
            Why::Keys => f.write_str("its keys changed, so what it remembers belongs to other rows"),
            Why::Window { from, to } => write!(f, "the window is {}, was {}", shape(to), shape(from)),
            Why::Partial => f.write_str("windows that are incomplete at the end are treated differently"),
            Why::Calls => f.write_str("its functions changed, so what it remembers cannot be read"),
            Why::Settings => f.write_str("the settings of its functions changed"),
            Why::Remembers(columns) if columns.is_empty() => {
                f.write_str("it remembers values that were calculated differently")
            }
            Why::Remembers(columns) => write!(f, "it remembers {} of another meaning", quoted(columns)),
            Why::Version => f.write_str("its functions work differently in this version of mliot"),
            Why::OtherEnd => f.write_str("connects elsewhere; the position there is new"),
            Why::WritesElsewhere => f.write_str("writes elsewhere from now on; what was written stays"),
            Why::ListensElsewhere => f.write_str("listens elsewhere from now on"),
            Why::Keep => f.write_str("what comes in is kept elsewhere from now on"),
            Why::FieldsRead => f.write_str("other columns are read from the data"),
            Why::Time => f.write_str("rows get their time differently"),
            Why::Limits => f.write_str("lateness, idle or ahead changed"),
            Why::WrittenColumns => f.write_str("writes other columns from now on"),
            Why::Request => f.write_str("takes other requests from now on"),
            Why::PredictsBy(task) => write!(f, "predictions come from `{task}` now"),
            Why::Follows(task) => write!(f, "its predictions follow `{task}`"),
            Why::NoOldRows => {
                f.write_str("no new row has the old features, so predictions are null until a new model is promoted")
            }
            Why::NoOldColumns => f.write_str(
                "columns that the old features are made of no longer come, so predictions are null until a new model is promoted",
            ),
            Why::OldPredictions => f.write_str(
                "the old features are predictions that changed as well, so predictions are null until a new model is promoted",
            ),
            Why::OtherAnswer => {
                f.write_str("the old model answers something else, so predictions are null until a new model is promoted")
            }
            Why::Task(edit) => edit.fmt(f),
        }
    }
}

impl fmt::Display for TaskEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TaskEdit::Answer => f.write_str("it answers in another type, so its models cannot go on"),
            TaskEdit::Target => f.write_str("the target means something else; a model has to be trained on it and promoted"),
            TaskEdit::TargetName => f.write_str("the target is called otherwise, and means the same"),
            TaskEdit::Features { added, removed, changed } => {
                let parts = [("new", added), ("gone", removed), ("changed", changed)];
                let parts = parts.into_iter().filter(|(_, names)| !names.is_empty());
                let parts = joined(parts.map(|(word, names)| format!("{} {word}", quoted(names))));
                write!(f, "features: {parts}; a model has to be trained on them and promoted")
            }
            TaskEdit::FeatureOrder => f.write_str("the features stand in another order; a model has to be trained on them"),
            TaskEdit::Rows => f.write_str("what it learns from changed: the next training follows it"),
            TaskEdit::Models => f.write_str(
                "other models are allowed: the champion stays if it still is, else the best allowed one measured, else a search \
                 begins beside it",
            ),
            TaskEdit::Choice => f.write_str("chosen again from what was measured; no training"),
            TaskEdit::Search => f.write_str("the next search follows the new budget or seed"),
            TaskEdit::Validate => f.write_str("the next training is validated differently"),
            TaskEdit::Acts => f.write_str("retraining, promotion and rollback follow the new conditions"),
        }
    }
}

impl fmt::Display for ParamEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = unit(&self.ty);
        write!(f, "{} is {}{unit}, was {}{unit}", self.name, self.is, self.was)
    }
}

/// As a literal has it behind its number.
fn unit(ty: &Type) -> &str {
    match ty {
        Type::Float(unit) if unit.text == "percent" => "%",
        Type::Float(unit) => &unit.text,
        Type::Bool
        | Type::Int
        | Type::Text
        | Type::Time
        | Type::Duration
        | Type::Bytes
        | Type::Enum(_)
        | Type::Tensor(_)
        | Type::Signal(_)
        | Type::List(_) => "",
    }
}

fn write_entries(f: &mut fmt::Formatter<'_>, added: &[Name], removed: &[Name]) -> fmt::Result {
    match (added.is_empty(), removed.is_empty()) {
        (_, true) => write!(f, "it begins to remember {}; the rest is carried over", quoted(added)),
        (true, false) => write!(f, "it forgets {}; the rest is carried over", quoted(removed)),
        (false, false) => {
            write!(f, "it begins to remember {} and forgets {}; the rest is carried over", quoted(added), quoted(removed))
        }
    }
}

/// As the language writes it.
pub(in crate::plan) fn shape(shape: &WindowShape) -> String {
    match shape {
        WindowShape::Time { size, every } if size == every => size.to_string(),
        WindowShape::Time { size, every } => format!("{size} every {every}"),
        WindowShape::Rows { size, every } if size == every => format!("{size} rows"),
        WindowShape::Rows { size, every } => format!("{size} rows every {every} rows"),
        WindowShape::Session { gap } => format!("session gap {gap}"),
        WindowShape::Whole => "whole".to_owned(),
        WindowShape::Cumulative { every } => format!("all so far, every {every}"),
    }
}

fn quoted(names: &[Name]) -> String {
    joined(names.iter().map(|name| format!("`{name}`")))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
