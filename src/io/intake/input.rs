//! Whatever a source reads, behind one face.

use std::sync::Arc;

use crate::base::Time;
use crate::diag::Code;
use crate::io::block::{Aside, At, Block};
use crate::io::error::IoError;
use crate::io::files::Files;
use crate::io::place::{Mode, Place};
use crate::io::records::Ignored;
use crate::io::spec::Spec;
use crate::ir::Connector;
use crate::plan::Connection;

use super::InputPosition;

/// The open end of a source.
pub(super) enum Input {
    Files(Box<Files>),
}

/// What an input has.
pub(super) enum Step {
    Ready,
    /// Nothing before this time, where it is known.
    Wait(Option<Time>),
    End,
}

impl Input {
    pub fn open(spec: &Arc<Spec>, connection: &Connection, place: &Place) -> Result<Input, IoError> {
        let connector = match spec.mode {
            Mode::Recorded => connection.recorded.as_ref().or(connection.keep.as_ref()),
            Mode::Live => connection.live.as_ref(),
        };
        match connector {
            Some(Connector::File(file)) => Ok(Input::Files(Box::new(Files::open(spec, file, place)?))),
            Some(other) => Err(not_yet(spec, other)),
            None => Err(nothing_to_read(spec)),
        }
    }

    pub fn next(&mut self, _place: &Place) -> Result<(Step, Option<Block>), IoError> {
        match self {
            Input::Files(files) => Ok(match files.next()? {
                Some(block) => (Step::Ready, Some(block)),
                None => (Step::End, None),
            }),
        }
    }

    pub fn delivered(&mut self, at: &[At], aside: &Aside) {
        match self {
            Input::Files(files) => files.delivered(at, aside),
        }
    }

    pub fn position(&self) -> InputPosition {
        match self {
            Input::Files(files) => InputPosition::Files(files.position()),
        }
    }

    pub fn resume(&mut self, position: &InputPosition, _records: u64) -> Result<(), IoError> {
        match (self, position) {
            (Input::Files(files), InputPosition::Files(positions)) => files.resume(positions),
        }
    }

    pub fn follow(&mut self, _records: u64) {
        match self {
            Input::Files(_) => {}
        }
    }

    pub fn retune(&mut self, spec: &Arc<Spec>, _connection: &Connection, _place: &Place) -> Result<(), IoError> {
        match self {
            Input::Files(files) => files.retune(spec),
        }
    }

    pub fn ignored(&self) -> Ignored {
        match self {
            Input::Files(files) => files.ignored().clone(),
        }
    }

    pub fn notes(&self) -> Vec<String> {
        match self {
            Input::Files(files) => files.notes().to_vec(),
        }
    }

    /// A recording without a single record.
    pub fn empty(&self, spec: &Spec) -> IoError {
        IoError::new(Code::E0713, format!("the recording of `{}` has no rows", spec.source))
            .help("see whether the path names the right file, and whether `header: false` is missing")
    }
}

fn nothing_to_read(spec: &Spec) -> IoError {
    let (has, wants) = match spec.mode {
        Mode::Recorded => ("no recording", "recorded csv(\"…\")"),
        Mode::Live => ("no live connector", "live stdin(format: csv)"),
    };
    IoError::new(Code::E0716, format!("the source `{}` has {has}", spec.source)).help(format!("add `{wants}` to it"))
}

fn not_yet(spec: &Spec, connector: &Connector) -> IoError {
    let name = match connector {
        Connector::Later { name, .. } => name.as_str(),
        Connector::File(_) => "file",
        Connector::Simulate(_) => "simulate",
        Connector::Stdin { .. } => "stdin",
        Connector::Stdout { .. } => "stdout",
        Connector::Http { .. } => "http",
    };
    IoError::new(Code::E0199, format!("`{}` cannot read from `{name}` in this version", spec.source))
        .help("record its messages into a file, and read that")
}
