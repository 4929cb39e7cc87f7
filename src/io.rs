//! Floor 6: the edge of the world. Connectors and formats, synchronous; whoever steps them brings threads and timers.
//!
//! A source is an [`Intake`]: connection, decode and gate of one source in one mode. A sink is a [`Deliver`].

mod archive;
mod block;
mod cell;
mod column;
mod columnar;
mod csv;
mod deliver;
mod error;
mod expr;
mod files;
mod fit;
mod gate;
mod idx;
mod inlet;
mod intake;
mod journal;
mod json;
mod lines;
mod list;
mod live;
mod msgpack;
mod open;
#[cfg(test)]
mod orders;
mod path;
mod place;
mod received;
mod records;
mod reference;
mod resources;
mod sheet;
mod simulate;
mod single;
mod spec;
mod stdin;
mod stream;
mod tail;

#[cfg(test)]
mod testing;

use crate::base::sync;

pub use block::SourceCounts;
pub use deliver::{Deliver, Exact, FileMark, Keep, Ledger, SEGMENT_ROWS_MAX, SinkMark, cells, deliver, keep, settle};
pub use error::IoError;
pub use files::FilePosition;
pub use inlet::{BAD_ROWS_TOLD, Inlet, Inlets, NotTaken, Receipt};
pub use intake::{Draw, End, InputPosition, Intake, Kept, Pending, Position, Taken};
pub use journal::{HISTORY_AGE_MAX, HISTORY_BYTES_MAX, JournalLimits, Journals};
pub use live::Live;
pub use place::{Mode, Now, Place, Stdout, Wall};
pub use records::{Ignored, Mark};
pub use reference::{TABLE_ROWS_MAX, table};
pub use resources::{Lease, Table};
pub use tail::{FileId, Head, TailPosition};
