//! Whatever a source reads, behind one face.

use std::sync::Arc;

use crate::base::Time;
use crate::diag::{Code, Diagnostic};
use crate::io::block::{Aside, At, Block};
use crate::io::error::IoError;
use crate::io::files::Files;
use crate::io::place::{Mode, Place};
use crate::io::received::Received;
use crate::io::records::Ignored;
use crate::io::simulate::Simulated;
use crate::io::spec::Spec;
use crate::io::stdin::Stdin;
use crate::io::tail::Tail;
use crate::ir::{Connector, FileFormat};
use crate::plan::Connection;

use super::InputPosition;

/// The open end of a source.
pub(super) enum Input {
    Files(Box<Files>),
    Simulated(Box<Simulated>),
    Stdin(Box<Stdin>),
    Received(Box<Received>),
    Tail(Box<Tail>),
    InTurn(InTurn),
    /// Gives nothing by itself: the rows were kept when they were read, and are brought along.
    Brought(InputPosition),
}

/// A recording and what was kept behind it, one after the other.
pub(super) struct InTurn {
    /// With whether it was written by `keep`.
    parts: Vec<(Input, bool)>,
    /// The part that gave the last rows.
    at: usize,
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
        match (spec.mode, &connection.keep) {
            (Mode::Recorded, Some(keep)) => InTurn::open(spec, connection, keep, place).map(Input::InTurn),
            (Mode::Recorded, None) | (Mode::Live, _) => Input::one(spec, connection, place),
        }
    }

    /// The same once more, beside the one that runs: what is open to the world is left alone.
    pub fn again(spec: &Arc<Spec>, connection: &Connection, place: &Place) -> Result<Input, IoError> {
        let name = spec.source.as_str();
        match (spec.mode, &connection.live, &place.live) {
            (Mode::Live, Some(Connector::Tail(_)), _) => Ok(Input::Brought(InputPosition::Tail(vec![]))),
            (Mode::Live, Some(Connector::Stdin { format }), Some(live)) => {
                Ok(Input::Received(Box::new(Received::again(spec, format, name, live)?)))
            }
            (Mode::Live, Some(Connector::Http(_)), Some(live)) => {
                Ok(Input::Received(Box::new(Received::again(spec, &FileFormat::Jsonl, name, live)?)))
            }
            (Mode::Live | Mode::Recorded, _, _) => Input::open(spec, connection, place),
        }
    }

    fn one(spec: &Arc<Spec>, connection: &Connection, place: &Place) -> Result<Input, IoError> {
        match connector(spec.mode, connection) {
            Some(Connector::File(file)) => Ok(Input::Files(Box::new(Files::open(spec, file, place)?))),
            Some(Connector::Simulate(simulate)) => {
                Ok(Input::Simulated(Box::new(Simulated::open(spec, simulate, connection, place)?)))
            }
            Some(Connector::Stdin { format }) => match (&place.live, spec.mode) {
                (Some(live), Mode::Live) => Ok(Input::Received(Box::new(Received::stdin(spec, format, live, place)?))),
                (Some(_) | None, _) => Ok(Input::Stdin(Box::new(Stdin::open(spec, format)?))),
            },
            Some(Connector::Stdout { .. }) => Err(not_yet(spec, "stdout")),
            Some(Connector::Post(_)) => Err(not_yet(spec, "an address")),
            Some(Connector::Tail(tail)) => Ok(Input::Tail(Box::new(Tail::open(spec, tail, place)?))),
            Some(Connector::Http(at)) => match &place.live {
                Some(live) => Ok(Input::Received(Box::new(Received::http(spec, at, live, place)?))),
                None => Err(only_live(spec)),
            },
            Some(Connector::Later { name, .. }) => Err(not_yet(spec, name)),
            None => Err(nothing_to_read(spec)),
        }
    }

    pub fn next(&mut self, place: &Place) -> Result<(Step, Option<Block>), IoError> {
        let (block, otherwise) = match self {
            Input::Files(files) => (files.next()?, Step::End),
            Input::Simulated(simulated) => {
                let block = simulated.next(place.now.now())?;
                (block, if simulated.is_over() { Step::End } else { Step::Wait(Some(simulated.until())) })
            }
            Input::Stdin(stdin) => {
                let block = stdin.next(place)?;
                (block, if stdin.is_over() { Step::End } else { Step::Wait(None) })
            }
            Input::Received(received) => {
                let block = received.next()?;
                (block, if received.is_over() { Step::End } else { Step::Wait(None) })
            }
            Input::Tail(tail) => (tail.next(place)?, Step::Wait(None)),
            Input::InTurn(turn) => return turn.next(place),
            Input::Brought(_) => (None, Step::Wait(None)),
        };
        Ok(match block {
            Some(block) => (Step::Ready, Some(block)),
            None => (otherwise, None),
        })
    }

    pub fn delivered(&mut self, at: &[At], aside: &Aside) {
        match self {
            Input::Files(files) => files.delivered(at, aside),
            Input::Simulated(simulated) => simulated.delivered(at, aside),
            Input::Stdin(stdin) => stdin.delivered(at, aside),
            Input::Received(received) => received.delivered(at, aside),
            Input::Tail(tail) => tail.delivered(at, aside),
            Input::InTurn(turn) => turn.parts[turn.at].0.delivered(at, aside),
            Input::Brought(_) => {}
        }
    }

    pub fn position(&self) -> InputPosition {
        match self {
            Input::Files(files) => InputPosition::Files(files.position()),
            Input::Simulated(simulated) => {
                let (tick, within) = simulated.position();
                InputPosition::Simulated { tick, within }
            }
            Input::Stdin(stdin) => InputPosition::Stream { records: stdin.position() },
            Input::Received(received) => {
                let (sequence, aside) = received.position();
                InputPosition::Journal { sequence, aside }
            }
            Input::Tail(tail) => InputPosition::Tail(tail.position()),
            Input::InTurn(turn) => InputPosition::InTurn(turn.parts.iter().map(|(part, _)| part.position()).collect()),
            Input::Brought(position) => position.clone(),
        }
    }

    pub fn resume(&mut self, position: &InputPosition) -> Result<(), IoError> {
        match (self, position) {
            (Input::Files(files), InputPosition::Files(positions)) => files.resume(positions),
            (Input::Simulated(simulated), InputPosition::Simulated { tick, within }) => simulated.resume((*tick, *within)),
            (Input::Stdin(stdin), InputPosition::Stream { records }) => {
                stdin.follow(*records);
                Ok(())
            }
            (Input::Received(received), InputPosition::Journal { sequence, aside }) => received.resume(*sequence, *aside),
            (Input::Tail(tail), InputPosition::Tail(positions)) => tail.resume(positions),
            (Input::InTurn(turn), InputPosition::InTurn(positions)) => {
                turn.at = 0;
                turn.parts.iter_mut().zip(positions).try_for_each(|((part, _), position)| part.resume(position))
            }
            (Input::Brought(stands), position) => {
                *stands = position.clone();
                Ok(())
            }
            (
                Input::Files(_)
                | Input::Simulated(_)
                | Input::Stdin(_)
                | Input::Received(_)
                | Input::Tail(_)
                | Input::InTurn(_),
                _,
            ) => Err(another_connector()),
        }
    }

    /// Can what was delivered be read again from a position?
    pub fn rereads(&self) -> bool {
        match self {
            Input::Files(_) | Input::Simulated(_) | Input::Received(_) => true,
            // From several files that grow, and files that are gone by then, the same rows would not come in the same order.
            Input::Tail(_) | Input::Stdin(_) | Input::Brought(_) => false,
            Input::InTurn(turn) => turn.parts.iter().all(|(part, _)| part.rereads()),
        }
    }

    /// Do records that are read again say when they came the first time?
    pub fn keeps_arrival(&self) -> bool {
        match self {
            Input::Received(_) => true,
            Input::Files(_) | Input::Simulated(_) | Input::Stdin(_) | Input::Tail(_) | Input::InTurn(_) | Input::Brought(_) => {
                false
            }
        }
    }

    /// Nothing before this position will be asked for again: what was kept for it may go.
    pub fn acknowledge(&mut self, upto: &InputPosition) {
        match (self, upto) {
            (Input::Received(received), InputPosition::Journal { sequence, .. }) => received.acknowledge(*sequence),
            (Input::InTurn(turn), InputPosition::InTurn(positions)) => {
                turn.parts.iter_mut().zip(positions).for_each(|((part, _), position)| part.acknowledge(position));
            }
            (
                Input::Files(_)
                | Input::Simulated(_)
                | Input::Stdin(_)
                | Input::Received(_)
                | Input::Tail(_)
                | Input::InTurn(_)
                | Input::Brought(_),
                _,
            ) => {}
        }
    }

    pub fn follow(&mut self, records: u64) {
        match self {
            Input::Files(_) | Input::Simulated(_) | Input::InTurn(_) | Input::Brought(_) => {}
            Input::Stdin(stdin) => stdin.follow(records),
            Input::Received(received) => received.follow(records),
            Input::Tail(tail) => tail.follow(records),
        }
    }

    /// A file that was recorded up to a place is followed from there on.
    pub fn go_on_behind(&mut self, recorded: &InputPosition) {
        match (self, recorded) {
            (Input::Tail(tail), InputPosition::Files(files)) => tail.go_on_behind(files),
            (tail @ Input::Tail(_), InputPosition::InTurn(parts)) => parts.iter().for_each(|part| tail.go_on_behind(part)),
            (
                Input::Files(_)
                | Input::Simulated(_)
                | Input::Stdin(_)
                | Input::Received(_)
                | Input::Tail(_)
                | Input::InTurn(_)
                | Input::Brought(_),
                _,
            ) => {}
        }
    }

    /// What its owner should know and has not been told.
    pub fn take_notes(&mut self) -> Vec<Diagnostic> {
        match self {
            Input::Files(_) | Input::Simulated(_) | Input::Stdin(_) | Input::InTurn(_) | Input::Brought(_) => Vec::new(),
            Input::Received(received) => received.take_notes(),
            Input::Tail(tail) => tail.take_notes(),
        }
    }

    /// What was read and cannot be read again comes back as it reads now.
    pub fn retune(&mut self, spec: &Arc<Spec>, connection: &Connection, place: &Place) -> Result<Option<Block>, IoError> {
        match (self, connector(spec.mode, connection)) {
            (Input::Files(files), _) => files.retune(spec).map(|()| None),
            (Input::Simulated(simulated), Some(Connector::Simulate(simulate))) => {
                simulated.retune(spec, simulate).map(|()| None)
            }
            (Input::Simulated(_), _) => Err(another_connector()),
            (Input::Stdin(stdin), _) => stdin.retune(spec, place),
            (Input::Received(received), _) => received.retune(spec),
            (Input::Tail(tail), _) => tail.retune(spec).map(|()| None),
            (Input::InTurn(turn), _) => turn.retune(spec, connection, place).map(|()| None),
            (Input::Brought(_), _) => Ok(None),
        }
    }

    pub fn ignored(&self) -> Ignored {
        match self {
            Input::Files(files) => files.ignored().clone(),
            Input::Simulated(_) | Input::Brought(_) => Ignored::default(),
            Input::Stdin(stdin) => stdin.ignored(),
            Input::Received(received) => received.ignored(),
            Input::Tail(tail) => tail.ignored(),
            Input::InTurn(turn) => turn.parts.iter().fold(Ignored::default(), |mut all, (part, _)| {
                all.add(&part.ignored());
                all
            }),
        }
    }

    pub fn notes(&self) -> Vec<String> {
        match self {
            Input::Files(files) => files.notes().to_vec(),
            Input::Simulated(_) | Input::Stdin(_) | Input::Received(_) | Input::Tail(_) | Input::Brought(_) => Vec::new(),
            Input::InTurn(turn) => turn.parts.iter().flat_map(|(part, _)| part.notes()).collect(),
        }
    }

    /// A recording without a single record.
    pub fn empty(&self, spec: &Spec) -> IoError {
        IoError::new(Code::E0713, format!("the recording of `{}` has no rows", spec.source))
            .help("see whether the path names the right file, and whether `header: false` is missing")
    }
}

impl InTurn {
    /// What was kept may not be there yet.
    fn open(spec: &Arc<Spec>, connection: &Connection, keep: &Connector, place: &Place) -> Result<InTurn, IoError> {
        let mut parts = Vec::new();
        if connection.recorded.is_some() {
            parts.push((Input::one(spec, connection, place)?, false));
        }
        let Connector::File(file) = keep else { return Err(not_kept(spec)) };
        match Files::open(&Arc::new(spec.kept()), file, place) {
            Ok(files) => parts.push((Input::Files(Box::new(files)), true)),
            Err(error) if error.code == Code::E0711 => {}
            Err(error) => return Err(error),
        }
        Ok(InTurn { parts, at: 0 })
    }

    fn next(&mut self, place: &Place) -> Result<(Step, Option<Block>), IoError> {
        while let Some((part, _)) = self.parts.get_mut(self.at) {
            let (step, block) = part.next(place)?;
            let last = self.at + 1 == self.parts.len();
            match step {
                Step::End if !last => self.at += 1,
                Step::Ready | Step::Wait(_) | Step::End => return Ok((step, block)),
            }
        }
        Ok((Step::End, None))
    }

    fn retune(&mut self, spec: &Arc<Spec>, connection: &Connection, place: &Place) -> Result<(), IoError> {
        let kept = Arc::new(spec.kept());
        for (part, was_kept) in &mut self.parts {
            part.retune(if *was_kept { &kept } else { spec }, connection, place)?;
        }
        Ok(())
    }
}

fn not_kept(spec: &Spec) -> IoError {
    IoError::new(Code::E0199, format!("`{}` can keep its rows in files only", spec.source))
        .help("write `keep parquet(\"folder/\")`")
}

fn nothing_to_read(spec: &Spec) -> IoError {
    let (has, wants) = match spec.mode {
        Mode::Recorded => ("no recording", "recorded csv(\"…\")"),
        Mode::Live => ("no live connector", "live stdin(format: csv)"),
    };
    IoError::new(Code::E0716, format!("the source `{}` has {has}", spec.source)).help(format!("add `{wants}` to it"))
}

fn only_live(spec: &Spec) -> IoError {
    IoError::new(Code::E0716, format!("`{}` takes rows over `http` in a live run only", spec.source))
        .help("start it with `mliot run`")
}

fn not_yet(spec: &Spec, name: &str) -> IoError {
    IoError::new(Code::E0199, format!("`{}` cannot read from `{name}` in this version", spec.source))
        .help("record its messages into a file, and read that")
}

fn another_connector() -> IoError {
    IoError::new(Code::R0002, "the position is of another kind of connector than the source has now")
        .help("begin anew, or bring back the connector that was there")
}

fn connector(mode: Mode, connection: &Connection) -> Option<&Connector> {
    match mode {
        Mode::Recorded => connection.recorded.as_ref(),
        Mode::Live => connection.live.as_ref(),
    }
}
