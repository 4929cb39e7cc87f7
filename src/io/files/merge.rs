//! Files in the order of event time, ties in the order of the files and of their rows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::{concat_batches, interleave_record_batch, take_record_batch};

use crate::diag::Code;
use crate::io::block::{Aside, BLOCK_ROWS, Block};
use crate::io::error::{IoError, arrow_refuses};
use crate::io::records::Records;

use super::Shelf;

/// Bytes of decoded rows that may be held to put files in time order.
const SORT_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Files that are open at once.
const RUNS_OPEN_MAX: usize = 512;

/// Below this mean length pieces are gathered row by row instead of copied one by one.
const SHORT_PIECE: usize = 64;

/// Rows in time order.
pub(super) struct Run {
    files: Range<usize>,
    state: State,
}

enum State {
    /// A file in time order that is opened once the others have got to its first time.
    Waiting {
        first: i64,
    },
    Streaming {
        records: Box<dyn Records>,
        block: Block,
        offset: usize,
    },
    /// Files whose rows must be put in order first.
    Unread,
    Loaded {
        block: Block,
        offset: usize,
    },
    Done,
}

/// Several runs as one.
pub(super) struct Merge {
    runs: Vec<Run>,
    /// Time of the next row of each run that is not done, and its number.
    heads: BinaryHeap<Reverse<(i64, usize)>>,
    /// Files that were opened and have nothing more.
    open: usize,
    loaded_bytes: usize,
    aside: Aside,
}

impl Run {
    /// One file in time order, whose first row has this time.
    pub fn stream(file: usize, first: i64) -> Run {
        Run { files: file..file + 1, state: State::Waiting { first } }
    }

    /// These files, in whatever order they stand.
    pub fn whole(files: Range<usize>) -> Run {
        Run { files, state: State::Unread }
    }

    /// The time of its next row as far as it is known.
    fn head(&self) -> Option<i64> {
        match &self.state {
            State::Waiting { first } => Some(*first),
            State::Unread => Some(i64::MIN),
            State::Streaming { block, offset, .. } | State::Loaded { block, offset } => time_at(block, *offset),
            State::Done => None,
        }
    }

    /// How many of its next rows stand before the head of another run.
    fn before(&self, other: Option<(i64, usize)>, me: usize) -> usize {
        let (State::Streaming { block, offset, .. } | State::Loaded { block, offset }) = &self.state else { return 0 };
        let times = block.time.as_ref().map_or(&[][..], |time| &time[*offset..]);
        match other {
            None => times.len(),
            Some((at, run)) => times.partition_point(|time| (*time, me) < (at, run)),
        }
    }

    fn slice(&mut self, rows: usize) -> Block {
        let (State::Streaming { block, offset, .. } | State::Loaded { block, offset }) = &mut self.state else {
            unreachable!("only runs with rows are sliced")
        };
        *offset += rows;
        block.slice(*offset - rows, rows)
    }
}

fn time_at(block: &Block, row: usize) -> Option<i64> {
    block.time.as_ref()?.get(row).copied()
}

impl Merge {
    pub fn of(runs: Vec<Run>) -> Merge {
        let heads = runs.iter().enumerate().filter_map(|(nth, run)| run.head().map(|at| Reverse((at, nth)))).collect();
        Merge { runs, heads, open: 0, loaded_bytes: 0, aside: Aside::default() }
    }

    /// The next rows; none at the end.
    pub fn next(&mut self, shelf: &mut Shelf) -> Result<Option<Block>, IoError> {
        let (mut pieces, mut count) = (Vec::new(), 0);
        while count < BLOCK_ROWS / 2 {
            let Some(Reverse((_, run))) = self.heads.pop() else { break };
            self.ready(run, shelf)?;
            let other = self.heads.peek().map(|Reverse(head)| *head);
            let rows = self.runs[run].before(other, run).min(BLOCK_ROWS - count);
            if rows > 0 {
                pieces.push(self.runs[run].slice(rows));
                count += rows;
                self.refill(run, shelf)?;
            }
            if let Some(at) = self.runs[run].head() {
                self.heads.push(Reverse((at, run)));
            }
        }
        if count == 0 && self.aside.is_empty() {
            return Ok(None);
        }
        let aside = std::mem::take(&mut self.aside);
        let mut block = if count == 0 { shelf.nothing_but(Aside::default()) } else { joined(pieces)? };
        block.aside.append(aside);
        Ok(Some(block))
    }

    /// Opens or loads a run that was not begun.
    fn ready(&mut self, run: usize, shelf: &mut Shelf) -> Result<(), IoError> {
        let files = self.runs[run].files.clone();
        match self.runs[run].state {
            State::Waiting { .. } => {
                self.open += 1;
                if self.open > RUNS_OPEN_MAX {
                    return Err(too_many_open());
                }
                let records = shelf.open(files.start)?;
                let block = shelf.nothing_but(Aside::default());
                self.runs[run].state = State::Streaming { records, block, offset: 0 };
                self.refill(run, shelf)
            }
            State::Unread => {
                let block = self.load(files, shelf)?;
                self.runs[run].state = State::Loaded { block, offset: 0 };
                self.refill(run, shelf)
            }
            State::Streaming { .. } | State::Loaded { .. } | State::Done => Ok(()),
        }
    }

    /// The next block of a run whose last one was used up.
    fn refill(&mut self, run: usize, shelf: &mut Shelf) -> Result<(), IoError> {
        while self.runs[run].head().is_none() {
            let file = self.runs[run].files.start;
            let State::Streaming { records, block, offset } = &mut self.runs[run].state else {
                self.runs[run].state = State::Done;
                return Ok(());
            };
            let newest = block.time.as_ref().and_then(|time| time.last().copied());
            match shelf.read(file, records.as_mut())? {
                Some(mut next) => {
                    check_order(&next, newest, &shelf.files[file].found.name)?;
                    self.aside.append(std::mem::take(&mut next.aside));
                    (*block, *offset) = (next, 0);
                }
                None => {
                    self.open -= 1;
                    self.runs[run].state = State::Done;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// All rows of these files, in time order.
    fn load(&mut self, files: Range<usize>, shelf: &mut Shelf) -> Result<Block, IoError> {
        let mut blocks = Vec::new();
        for file in files {
            let mut records = shelf.open(file)?;
            while let Some(mut block) = shelf.read(file, records.as_mut())? {
                self.aside.append(std::mem::take(&mut block.aside));
                self.loaded_bytes += block.rows.get_array_memory_size() + block.len() * 16;
                if self.loaded_bytes > SORT_BYTES_MAX {
                    return Err(too_much_to_sort(&shelf.files[file].found.name));
                }
                blocks.push(block);
            }
            shelf.pass(file);
        }
        if blocks.is_empty() { Ok(shelf.nothing_but(Aside::default())) } else { sorted(joined_in_turn(blocks)?) }
    }
}

/// Stable, so that ties keep the order of the files.
fn sorted(block: Block) -> Result<Block, IoError> {
    let Some(time) = &block.time else { return Ok(block) };
    if time.is_sorted() {
        return Ok(block);
    }
    let mut order: Vec<u64> = (0..time.len() as u64).collect();
    order.sort_by_key(|row| time[*row as usize]);
    let rows = take_record_batch(&block.rows, &UInt64Array::from(order.clone())).map_err(arrow_refuses)?;
    Ok(Block {
        rows,
        time: Some(order.iter().map(|row| time[*row as usize]).collect()),
        at: order.iter().map(|row| block.at[*row as usize]).collect(),
        aside: block.aside,
    })
}

/// Pieces one after the other: copied whole where they are long, gathered row by row where they are short.
fn joined(mut pieces: Vec<Block>) -> Result<Block, IoError> {
    let count: usize = pieces.iter().map(Block::len).sum();
    match pieces.len() {
        1 => Ok(pieces.swap_remove(0)),
        many if count / many >= SHORT_PIECE => joined_in_turn(pieces),
        _ => {
            let batches: Vec<&RecordBatch> = pieces.iter().map(|piece| &piece.rows).collect();
            let at = |(nth, piece): (usize, &Block)| (0..piece.len()).map(move |row| (nth, row));
            let indices: Vec<(usize, usize)> = pieces.iter().enumerate().flat_map(at).collect();
            let rows = interleave_record_batch(&batches, &indices).map_err(arrow_refuses)?;
            Ok(gathered(rows, pieces))
        }
    }
}

fn joined_in_turn(pieces: Vec<Block>) -> Result<Block, IoError> {
    let rows = concat_batches(&pieces[0].rows.schema(), pieces.iter().map(|piece| &piece.rows)).map_err(arrow_refuses)?;
    Ok(gathered(rows, pieces))
}

fn gathered(rows: RecordBatch, pieces: Vec<Block>) -> Block {
    let time = pieces.iter().flat_map(|piece| piece.time.iter().flat_map(|time| time.iter().copied())).collect();
    let at = pieces.into_iter().flat_map(|piece| piece.at).collect();
    Block { rows, time: Some(time), at, aside: Aside::default() }
}

/// The survey found it in order, so it was changed since.
fn check_order(block: &Block, newest: Option<i64>, name: &str) -> Result<(), IoError> {
    let Some(time) = &block.time else { return Ok(()) };
    let falls = newest.is_some_and(|newest| time.first().is_some_and(|first| *first < newest));
    if !falls && time.is_sorted() {
        return Ok(());
    }
    Err(IoError::new(Code::R0712, format!("`{name}` changed while it was read: its rows are no longer in time order"))
        .help("replay a file that nothing writes to"))
}

fn too_much_to_sort(name: &str) -> IoError {
    let message = format!("`{name}` is not in time order, and its rows take more than {} MiB", SORT_BYTES_MAX >> 20);
    IoError::new(Code::R0712, message)
        .help("sort the file by its time once, or split it into files that are in time order each")
}

fn too_many_open() -> IoError {
    let message = format!("more than {RUNS_OPEN_MAX} files of the recording cover the same time");
    IoError::new(Code::R0712, message).help("join them into fewer files")
}
