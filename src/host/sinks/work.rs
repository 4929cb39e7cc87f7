//! A writer's thread: delivers, retries, closes segments when they are due, and says what stands for good.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::base::Name;
use crate::host::said::{HostEvent, Said};
use crate::host::stop::{Stop, Wanted};
use crate::io::{FileMark, SinkMark};
use crate::node::NodeError;
use crate::runtime::Deliver;

use super::SinkLimits;
use super::standing::Standing;
use super::writer::Shared;

pub struct Work {
    pub sink: Name,
    pub outbox: u64,
    pub schema: SchemaRef,
    pub deliver: Box<dyn Deliver>,
    /// Files of former writers of this sink that no committed mark has named yet.
    pub behind: Vec<FileMark>,
    pub shared: Arc<Shared>,
    pub limits: SinkLimits,
    /// The number of the row that is next; every one before it is delivered or lost.
    pub next: u64,
    /// A segment that could not be written is not tried again before.
    pub not_before: Option<Instant>,
    pub stop: Stop,
    pub said: SyncSender<Said>,
}

/// What a writer does next.
enum Next {
    Rows(RecordBatch),
    Close,
    End,
}

impl Work {
    pub fn run(mut self, batches: &Receiver<RecordBatch>) {
        loop {
            match self.next(batches) {
                Next::Rows(rows) => {
                    self.hand_over(&rows.schema());
                    self.write(&rows);
                }
                Next::Close => self.close_due(),
                Next::End => break,
            }
            self.stand();
        }
        self.finish();
        self.stand();
    }

    /// The next rows, unless a segment is due before they come.
    fn next(&mut self, batches: &Receiver<RecordBatch>) -> Next {
        let age = self.limits.segment_age_max;
        let due = self.deliver.exact().and_then(|exact| exact.since()).map(|since| since + age);
        let Some(due) = due.map(|due| self.not_before.map_or(due, |not_before| due.max(not_before))) else {
            return batches.recv().map_or(Next::End, Next::Rows);
        };
        match batches.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(rows) => Next::Rows(rows),
            Err(RecvTimeoutError::Timeout) => Next::Close,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// What is delivered by now stands for good, but for rows that wait for their segment.
    fn stand(&mut self) {
        let (settled, lost, mut files) = (self.next, self.shared.lost.load(Relaxed), self.behind.clone());
        let Some(exact) = self.deliver.exact() else {
            return self.shared.stand(Standing { settled, lost, mark: SinkMark { files } });
        };
        let open = exact.open_rows();
        match exact.mark() {
            Ok(mark) => {
                files.retain(|old| mark.files.iter().all(|new| new.path() != old.path() || new.written() != old.written()));
                files.extend(mark.files);
                self.shared.stand(Standing { settled: settled - open, lost, mark: SinkMark { files } });
            }
            Err(error) => self.trouble(&error.to_string()),
        }
    }

    fn close_due(&mut self) {
        let closed = self.deliver.exact().map_or(Ok(()), |exact| exact.close());
        self.not_before = match closed {
            Ok(()) => None,
            Err(error) => {
                self.trouble(&error.to_string());
                Some(Instant::now() + self.limits.backoff_max)
            }
        };
    }

    /// Closes what has an end. Rows that an epoch has kept are not lost by that.
    fn finish(&mut self) {
        if let Err(error) = self.deliver.finish() {
            self.say(HostEvent::SinkTrouble { sink: self.sink.clone(), message: error.to_string() });
        }
    }

    /// Rows with other columns are the first of a writer that waits for them.
    fn hand_over(&mut self, schema: &SchemaRef) {
        while self.schema != *schema {
            let heir = self.shared.heirs().pop_front();
            let Some((columns, deliver)) = heir else { return };
            self.leave();
            (self.schema, self.deliver) = (columns, deliver);
        }
    }

    /// What waits for its segment gets one, as often as it is tried; its files stay in the mark.
    fn leave(&mut self) {
        let open = self.deliver.exact().map_or(0, |exact| exact.open_rows());
        if open > 0 {
            self.try_hard(open, |deliver| deliver.exact().map_or(Ok(()), |exact| exact.close().map_err(NodeError::from)));
        }
        self.finish();
        if let Some(mark) = self.deliver.exact().and_then(|exact| exact.mark().ok()) {
            self.behind.retain(|file| std::path::Path::new(file.written()).exists());
            self.behind.extend(mark.files);
        }
    }

    /// Until it is written, or given up.
    fn write(&mut self, rows: &RecordBatch) {
        let count = rows.num_rows() as u64;
        self.deliver.stands(self.outbox, self.next);
        if self.try_hard(count, |deliver| deliver.deliver(rows)) {
            let refused = self.deliver.take_refused();
            let lost = refused.as_ref().map_or(0, |(rows, _)| *rows);
            self.shared.delivered.fetch_add(count - lost, Relaxed);
            if let Some((rows, why)) = refused {
                self.give_up(rows, why);
            }
        }
        self.next += count;
    }

    /// False if it was given up, and counted as lost.
    fn try_hard(&mut self, rows: u64, mut act: impl FnMut(&mut dyn Deliver) -> Result<(), NodeError>) -> bool {
        let mut backoff = self.limits.backoff_first;
        for retry in 0..=self.limits.retries_max {
            let error = match act(self.deliver.as_mut()) {
                Ok(()) => {
                    self.recovered();
                    return true;
                }
                Err(error) => error.to_string(),
            };
            self.trouble(&error);
            if retry == self.limits.retries_max || !self.stop.wait(backoff, Wanted::Hurry) {
                let done = self.deliver.part_done().min(rows);
                self.shared.delivered.fetch_add(done, Relaxed);
                self.give_up(rows - done, error);
                return false;
            }
            self.shared.retries.fetch_add(1, Relaxed);
            backoff = (backoff * 2).min(self.limits.backoff_max);
        }
        false
    }

    fn recovered(&self) {
        if self.shared.set_trouble(None).is_some() {
            self.say(HostEvent::SinkRecovered { sink: self.sink.clone() });
        }
    }

    fn give_up(&self, rows: u64, message: String) {
        self.shared.lost.fetch_add(rows, Relaxed);
        self.say(HostEvent::SinkLost { sink: self.sink.clone(), rows, message });
    }

    /// Said once for as long as it is the same.
    fn trouble(&self, message: &str) {
        let before = self.shared.set_trouble(Some(message.to_owned()));
        if before.as_deref() != Some(message) {
            self.say(HostEvent::SinkTrouble { sink: self.sink.clone(), message: message.to_owned() });
        }
    }

    /// Nothing waits for a reader of the log: the books say it too.
    fn say(&self, event: HostEvent) {
        let _ = self.said.try_send(Said::Host(event));
    }
}
