//! Several inputs of one node, acted on in ordinal order, ties by port.
//!
//! A merge is cut at the lowest frontier of its inputs, and never across the end of a message: so a clock that jumps without
//! a row (an idle source) jumps at the end of a span here as it does elsewhere. Because every message says up to which
//! ordinal it speaks, an input without rows holds nothing back, and a consistent cut needs no alignment of its own.

use arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{FieldRef, SchemaRef};
use arrow::error::ArrowError;

use crate::base::Time;
use crate::node::{Batch, Clock, Ordinal, Ordinals, Port};

use super::clocks;
use super::edge::Edge;

/// Below this mean length of runs rows are gathered one by one into a batch; from it on, runs are sliced without a copy.
/// Measured: gathering does 20 to 70 M rows/s at runs of 1 to 16, slicing 3 to 50 M; at runs of 1,000 slicing is four times
/// as fast.
pub const MEAN_RUN_SLICED: usize = 256;

/// What a merge remembers: how far it and its clock have got.
#[derive(Clone, Copy, Debug)]
pub struct OrderedMerge {
    after: Time,
    /// The end of the last span.
    upto: Ordinal,
}

/// The inputs' shares of one span, each with that span's `upto`.
#[derive(Debug)]
pub struct Merged {
    /// By port; several of one port follow each other.
    pub parts: Vec<(Port, Batch)>,
    pub upto: Ordinal,
    /// The lowest of the inputs' clocks.
    pub clock: Clock,
}

/// What can be done next.
#[derive(Debug)]
pub enum Next {
    Span(Merged),
    /// All inputs have ended, the last one here.
    End(Ordinal),
    /// An input has not said yet what comes.
    Wait,
}

impl Default for OrderedMerge {
    fn default() -> Self {
        Self { after: Time::MIN, upto: Ordinal(0) }
    }
}

impl OrderedMerge {
    /// How far its clock and its spans have got.
    pub fn reached(&self) -> (Time, Ordinal) {
        (self.after, self.upto)
    }

    pub fn from((after, upto): (Time, Ordinal)) -> OrderedMerge {
        OrderedMerge { after, upto }
    }

    /// The next span that all inputs cover. Where an input has said nothing yet, that is at most what the others let go at
    /// the end of the last span: rows of windows that close because their own input ended, or because time went on.
    pub fn next(&mut self, edges: &mut [Edge]) -> Next {
        for edge in edges.iter_mut() {
            edge.note_end();
        }
        let open = || edges.iter().filter(|edge| edge.ended().is_none());
        if open().next().is_none() {
            let last = edges.iter().filter_map(Edge::ended).max();
            return last.map_or(Next::Wait, Next::End);
        }
        let heads = || open().filter_map(Edge::frontier);
        let upto = match open().any(Edge::is_idle) {
            false => heads().min().unwrap_or(self.upto),
            true if heads().any(|head| head <= self.upto) => self.upto,
            true => return Next::Wait,
        };
        Next::Span(self.span(edges, upto))
    }

    /// Every input's share of the ordinals before `upto`.
    fn span(&mut self, edges: &mut [Edge], upto: Ordinal) -> Merged {
        let (mut parts, mut clocks) = (Vec::new(), Vec::new());
        for (port, edge) in edges.iter_mut().enumerate().filter(|(_, edge)| edge.ended().is_none()) {
            let pieces = edge.pop_upto(upto);
            clocks.push(match &pieces[..] {
                [] => edge.still(),
                pieces => clocks::joined(&pieces.iter().map(|piece| piece.clock.clone()).collect::<Vec<_>>()),
            });
            parts.extend(pieces.into_iter().map(|piece| (port, piece)));
        }
        let clock = clocks::lowest(&clocks.iter().collect::<Vec<_>>(), self.after);
        self.after = self.after.max(clock.after());
        self.upto = upto;
        Merged { parts, upto, clock }
    }
}

impl Merged {
    pub fn rows(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.len()).sum()
    }

    /// The rows of all inputs in order, in as few batches as is cheap, each with its share of the span and the port whose
    /// columns it has. Rows of several inputs in one batch have the columns of the first port, `schema`, by name.
    pub fn gather(self, schema: &SchemaRef) -> Result<Vec<(Port, Batch)>, ArrowError> {
        let Merged { parts, upto, clock } = self;
        let with_rows: Vec<(Port, Batch)> = parts.into_iter().filter(|(_, part)| !part.is_empty()).collect();
        match with_rows.len() {
            0 => Ok(vec![(0, nothing(schema, upto, clock))]),
            1 => Ok(with_rows.into_iter().map(|(port, part)| (port, Batch { upto, clock: clock.clone(), ..part })).collect()),
            _ => gather_several(&with_rows, schema, upto, clock),
        }
    }
}

/// A span without rows.
pub fn nothing(schema: &SchemaRef, upto: Ordinal, clock: Clock) -> Batch {
    let none = Ordinals::Column(ScalarBuffer::from(Vec::new()));
    Batch { rows: RecordBatch::new_empty(schema.clone()), ordinals: none, upto, clock }
}

/// The columns of `schema`, by name: inputs of one merge may differ in order, and in columns that nobody reads behind it.
fn fitted(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if rows.schema_ref() == schema {
        return Ok(rows.clone());
    }
    let column = |field: &FieldRef| match rows.column_by_name(field.name()) {
        Some(column) => column.clone(),
        None => new_null_array(field.data_type(), rows.num_rows()),
    };
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), schema.fields().iter().map(column).collect(), &options)
}

/// Rows of part `part` from `start` to before `end`, which follow each other in the whole.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    part: usize,
    start: usize,
    end: usize,
}

type Ported = (Port, Batch);

fn gather_several(parts: &[Ported], schema: &SchemaRef, upto: Ordinal, clock: Clock) -> Result<Vec<Ported>, ArrowError> {
    let ordinals: Vec<ScalarBuffer<u64>> = parts.iter().map(|(_, part)| part.ordinals.to_column(part.len())).collect();
    let runs = runs(&ordinals);
    let rows: usize = parts.iter().map(|(_, part)| part.len()).sum();
    if rows / runs.len() >= MEAN_RUN_SLICED && !tied(&runs, &ordinals) {
        return Ok(sliced(parts, &ordinals, &runs, upto, clock));
    }
    let from: Vec<RecordBatch> = parts.iter().map(|(_, part)| fitted(&part.rows, schema)).collect::<Result<_, _>>()?;
    let each = || runs.iter().flat_map(|run| (run.start..run.end).map(move |row| (run.part, row)));
    let indices: Vec<(usize, usize)> = each().collect();
    let column: ScalarBuffer<u64> = each().map(|(part, row)| ordinals[part][row]).collect();
    let rows = interleave_record_batch(&from.iter().collect::<Vec<_>>(), &indices)?;
    Ok(vec![(0, Batch { rows, ordinals: Ordinals::Column(column), upto, clock })])
}

/// The longest stretches of one part, in ordinal order, ties by part.
fn runs(ordinals: &[ScalarBuffer<u64>]) -> Vec<Run> {
    let mut at = vec![0; ordinals.len()];
    let mut out: Vec<Run> = Vec::new();
    let head = |at: &[usize], part: usize| ordinals[part].get(at[part]).copied();
    while let Some((_, part)) = (0..at.len()).filter_map(|part| Some((head(&at, part)?, part))).min() {
        let rival = (0..at.len()).filter(|other| *other != part).filter_map(|other| Some((head(&at, other)?, other))).min();
        let start = at[part];
        let rest = &ordinals[part][start..];
        let length = rival.map_or(rest.len(), |rival| rest.partition_point(|ordinal| (*ordinal, part) < rival));
        at[part] += length;
        out.push(Run { part, start, end: at[part] });
    }
    out
}

/// Do two runs meet in one ordinal? Then they cannot be in batches of their own: a batch covers whole ordinals.
fn tied(runs: &[Run], ordinals: &[ScalarBuffer<u64>]) -> bool {
    runs.windows(2).any(|pair| ordinals[pair[0].part][pair[0].end - 1] == ordinals[pair[1].part][pair[1].start])
}

fn sliced(parts: &[Ported], ordinals: &[ScalarBuffer<u64>], runs: &[Run], upto: Ordinal, clock: Clock) -> Vec<Ported> {
    let mut rest = clock;
    let mut out = Vec::with_capacity(runs.len());
    for (nth, run) in runs.iter().enumerate() {
        let end = runs.get(nth + 1).map_or(upto, |next| Ordinal(ordinals[next.part][next.start]));
        let (now, later) = if end < upto { rest.split(end, upto) } else { (rest.clone(), Clock::None) };
        rest = later;
        let (from, rows) = (run.start, run.end - run.start);
        let (port, part) = &parts[run.part];
        let ordinals = Ordinals::Column(ordinals[run.part].slice(from, rows));
        out.push((*port, Batch { rows: part.rows.slice(from, rows), ordinals, upto: end, clock: now }));
    }
    out
}

/// One batch of several that follow each other in ordinal order.
pub fn joined(pieces: Vec<Batch>) -> Result<Option<Batch>, ArrowError> {
    let Some(last) = pieces.last() else { return Ok(None) };
    let (schema, upto) = (last.rows.schema(), last.upto);
    if pieces.len() == 1 {
        return Ok(pieces.into_iter().next());
    }
    let rows = arrow::compute::concat_batches(&schema, pieces.iter().map(|piece| &piece.rows))?;
    let column: Vec<u64> = pieces.iter().flat_map(|piece| piece.ordinals.to_column(piece.len()).to_vec()).collect();
    let all: Vec<Clock> = pieces.into_iter().map(|piece| piece.clock).collect();
    Ok(Some(Batch { rows, ordinals: Ordinals::Column(column.into()), upto, clock: clocks::joined(&all) }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;
    use proptest::prelude::*;

    use crate::ir::Outlet;
    use crate::node::Message;
    use crate::plan::{Input, NodeKey, Slot};

    use super::*;

    /// What one gate drew: of each of its rows the ordinal and the event time, in spans as the sequencer makes them.
    fn messages(rows: &[(u64, i64)], cuts: &[u64], all: u64) -> Vec<Batch> {
        let steps: Arc<[(Ordinal, Time)]> = {
            let mut newest = i64::MIN;
            let mut steps = Vec::new();
            for (at, time) in rows {
                if *time > newest {
                    newest = *time;
                    steps.push((Ordinal(*at), Time(newest)));
                }
            }
            steps.into()
        };
        let values: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|(at, time)| *at as i64 * 1_000 + time)));
        let after = steps.last().map_or(Time::MIN, |last| last.1);
        let mut rest = Batch {
            rows: RecordBatch::try_from_iter([("v", values)]).unwrap(),
            ordinals: Ordinals::Column(rows.iter().map(|(at, _)| *at).collect()),
            upto: Ordinal(all),
            clock: Clock::Steps { before: Time::MIN, after, at: steps },
        };
        let mut out = Vec::new();
        for cut in cuts {
            let (early, late) = rest.split(Ordinal(*cut));
            out.push(early);
            rest = late;
        }
        out.push(rest);
        out
    }

    fn edge(nth: usize) -> Edge {
        let node = NodeKey::of_file(&format!("input{nth}").into(), Slot::Gate);
        Edge::new(Input { node, outlet: Outlet::Rows })
    }

    /// Everything that comes out: rows by ordinal and value, and the clock before each ordinal.
    fn merged(inputs: &[Vec<Batch>], all: u64) -> (Vec<(u64, i64)>, Vec<Time>) {
        let mut edges: Vec<Edge> = (0..inputs.len()).map(edge).collect();
        for (edge, batches) in edges.iter_mut().zip(inputs) {
            batches.iter().for_each(|batch| edge.push(Message::Batch(batch.clone())));
            edge.push(Message::End { at: Ordinal(all) });
        }
        let schema = inputs[0][0].rows.schema();
        let (mut merge, mut rows, mut clock) = (OrderedMerge::default(), Vec::new(), Vec::new());
        loop {
            match merge.next(&mut edges) {
                Next::Wait => panic!("all inputs have said everything"),
                Next::End(at) => {
                    assert_eq!(at, Ordinal(all));
                    assert!(edges.iter().all(|edge| edge.balances() && edge.in_flight() == 0));
                    return (rows, clock);
                }
                Next::Span(span) => {
                    for (_, batch) in span.gather(&schema).unwrap() {
                        let values = batch.rows.column(0).as_primitive::<Int64Type>();
                        let ordinals = batch.ordinals.to_column(batch.len());
                        assert!(ordinals.iter().all(|at| *at < batch.upto.0), "a row lies inside its span");
                        rows.extend(ordinals.iter().copied().zip(values.values().iter().copied()));
                        let next = clock.len() as u64;
                        clock.extend((next..batch.upto.0).map(|at| batch.clock.before(Ordinal(at))));
                    }
                }
            }
        }
    }

    /// Which source draws each ordinal, with the row's time; some rows go to both, as behind a fork.
    fn draws() -> impl Strategy<Value = Vec<(u8, i64)>> {
        prop::collection::vec((0..4u8, 0..100i64), 1..60)
    }

    fn split(draws: &[(u8, i64)], input: u8) -> Vec<(u64, i64)> {
        let own = draws.iter().enumerate().filter(|(_, (source, _))| *source == input || *source == 3);
        own.map(|(at, (_, time))| (at as u64, *time)).collect()
    }

    fn cuts(all: usize) -> impl Strategy<Value = Vec<u64>> {
        prop::collection::btree_set(0..=all as u64, 0..8).prop_map(|cuts| cuts.into_iter().collect())
    }

    proptest! {
        #[test]
        fn a_merge_is_in_ordinal_order_however_its_inputs_are_cut(
            (draws, cuts) in draws().prop_flat_map(|draws| {
                let all = draws.len();
                (Just(draws), prop::array::uniform3(cuts(all)))
            })
        ) {
            let all = draws.len() as u64;
            let rows: Vec<Vec<(u64, i64)>> = (0..3).map(|input| split(&draws, input)).collect();
            let whole: Vec<Vec<Batch>> = rows.iter().map(|rows| messages(rows, &[], all)).collect();
            let parts: Vec<Vec<Batch>> = rows.iter().zip(&cuts).map(|(rows, cuts)| messages(rows, cuts, all)).collect();
            let (got, clock) = merged(&parts, all);
            let mut want: Vec<(u64, usize, i64)> = Vec::new();
            for (port, rows) in rows.iter().enumerate() {
                want.extend(rows.iter().map(|(at, time)| (*at, port, *at as i64 * 1_000 + time)));
            }
            want.sort();
            prop_assert_eq!(&got, &want.into_iter().map(|(at, _, value)| (at, value)).collect::<Vec<_>>());
            prop_assert_eq!((got, clock), merged(&whole, all));
        }

        #[test]
        fn the_clock_of_a_merge_is_the_lowest_of_its_inputs(draws in draws()) {
            let all = draws.len() as u64;
            let rows: Vec<Vec<(u64, i64)>> = (0..3).map(|input| split(&draws, input)).collect();
            let whole: Vec<Vec<Batch>> = rows.iter().map(|rows| messages(rows, &[], all)).collect();
            let (_, clock) = merged(&whole, all);
            for (at, got) in clock.iter().enumerate() {
                let before = |rows: &Vec<(u64, i64)>| rows.iter().filter(|row| row.0 < at as u64).map(|row| row.1).max();
                let want = rows.iter().map(|rows| before(rows).map_or(Time::MIN, Time)).min();
                prop_assert_eq!(Some(*got), want, "before {}", at);
            }
        }
    }

    #[test]
    fn long_runs_are_sliced_and_short_ones_gathered() {
        let alternate = |run: u64| -> Vec<Vec<Batch>> {
            let of = |input: u64| -> Vec<(u64, i64)> {
                (0..4_000).filter(|at| at / run % 2 == input).map(|at| (at, at as i64)).collect()
            };
            (0..2).map(|input| messages(&of(input), &[], 4_000)).collect()
        };
        for (run, batches) in [(1, 1), (100, 1), (1_000, 4)] {
            let inputs = alternate(run);
            let mut edges: Vec<Edge> = (0..2).map(edge).collect();
            for (edge, batches) in edges.iter_mut().zip(&inputs) {
                edge.push(Message::Batch(batches[0].clone()));
            }
            let Next::Span(span) = OrderedMerge::default().next(&mut edges) else { panic!("both inputs have spoken") };
            let out = span.gather(&inputs[0][0].rows.schema()).unwrap();
            assert_eq!(out.len(), batches, "runs of {run}");
            assert_eq!(out.iter().map(|(_, batch)| batch.len()).sum::<usize>(), 4_000);
        }
    }

    #[test]
    fn an_input_that_has_said_nothing_is_waited_for_and_an_ended_one_is_not() {
        let batch = messages(&[(0, 5), (1, 6)], &[], 2).remove(0);
        let mut edges = vec![edge(0), edge(1)];
        edges[0].push(Message::Batch(batch));
        assert!(matches!(OrderedMerge::default().next(&mut edges), Next::Wait));
        edges[1].push(Message::End { at: Ordinal(0) });
        let Next::Span(span) = OrderedMerge::default().next(&mut edges) else { panic!("the other input has ended") };
        assert_eq!((span.rows(), span.clock.after()), (2, Time(6)));
    }
    #[test]
    fn rows_of_one_ordinal_stand_by_port_in_however_many_messages_they_come() {
        let mut edges = vec![edge(0), edge(1)];
        let free = |value: i64| Batch { upto: Ordinal(2), ..messages(&[(2, value)], &[], 3).remove(0) };
        let first = messages(&[(0, 5)], &[], 2).remove(0);
        [first, free(7), free(8)].into_iter().for_each(|batch| edges[0].push(Message::Batch(batch)));
        edges[1].push(Message::Batch(free(9)));
        let Next::Span(span) = OrderedMerge::default().next(&mut edges) else { panic!("both inputs have spoken") };
        assert_eq!((span.upto, span.clock.after()), (Ordinal(2), Time(8)));
        let schema = span.parts[0].1.rows.schema();
        let rows = span.gather(&schema).unwrap().remove(0).1;
        assert_eq!(rows.rows.column(0).as_primitive::<Int64Type>().values()[..], [5, 2_007, 2_008, 2_009]);
    }
}
