//! Floor 8: the running graph. Nodes are stepped in tasks, a change of the graph is a cut between two ordinals, and starting
//! is a change of the empty graph. Nothing here waits: files, sockets and clocks are the shell's.

mod ask;
mod audit;
mod clocks;
mod cut;
mod dead;
mod edge;
mod engine;
mod event;
mod feed;
mod guard;
mod layout;
mod memory;
mod merge;
mod outbox;
mod pass;
mod prepare;
mod replay;
mod report;
mod rows;
mod sequencer;
mod shadow;
mod slot;
mod tap;
mod task;
mod test;

pub use ask::{Asked, Asker, Askers, Unasked, Way};
pub use cut::{Aborted, Cut};
pub use dead::{DEAD_RECORDS_MAX, DeadLetter, DeadRecord};
pub use edge::{EDGE_MESSAGES_MAX, EdgeCounts};
pub use engine::{Engine, Life, Phase, Progress, Settings};
pub use event::{CutEvent, Event, Fate, NodeEvent};
pub use feed::{Deliver, Drawn, Feed, FeedCounts, Head, Parts, Side, SourceSpec};
pub use memory::{MemoryFeed, Rows};
pub use outbox::{OUTBOX_ROWS_MAX, Outbox, OutboxId};
pub use prepare::{Prepared, prepare};
pub use replay::{Kept, Replay, Replayed, Status, collect, learning_order, replay, upstream};
pub use report::{EdgeReport, NodeReport, SinkReport};
pub use rows::{Row, from_table, to_table};
pub use shadow::Served;
pub use slot::Slot;
pub use tap::Tap;
pub use test::{Failure, Outcome, Recompile, test};
