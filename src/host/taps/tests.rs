//! One who looks, a stand-in for the engine behind him, and a reader who is sometimes too slow.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar};

use arrow::array::{Int64Array, RecordBatch};

use super::super::engine::{Order, See};
use super::super::outside::Conditions;
use super::super::said::Messages;
use super::super::stop::Stop;
use super::*;
use crate::base::{Name, Span};
use crate::ir::{Column as IrColumn, Expr, Outlet, Type};
use crate::node::{Clock, Ordinal, Ordinals};
use crate::plan::{NodeKey, Slot};

struct NoConditions;

impl Conditions for NoConditions {
    fn condition(&self, _: &Sources, _: &Input, _: &str) -> Result<Expr, Messages> {
        panic!("nobody has asked for one")
    }
}

/// Hears what is told, but only while it is willing.
#[derive(Default)]
struct Reader {
    told: Mutex<Vec<TapWord>>,
    refused: AtomicUsize,
    unwilling: AtomicUsize,
    gone: AtomicBool,
    over: (Mutex<bool>, Condvar),
}

impl Reader {
    fn wait_for_the_end(&self) {
        let (over, rung) = &self.over;
        let guard = over.lock().unwrap();
        let waited = rung.wait_timeout_while(guard, Duration::from_secs(30), |over| !*over).unwrap();
        assert!(*waited.0, "it does not end");
    }

    fn rows(&self) -> Vec<u64> {
        let told = self.told.lock().unwrap();
        let of = |word: &TapWord| if let TapWord::Rows { at, .. } = word { at.clone() } else { Vec::new() };
        told.iter().flat_map(of).collect()
    }

    fn skipped(&self) -> u64 {
        let told = self.told.lock().unwrap();
        told.iter().map(|word| if let TapWord::Skipped { rows } = word { *rows } else { 0 }).sum()
    }
}

struct Telling(Arc<Reader>);

impl Teller for Telling {
    fn tell(&self, told: &TapWord) -> bool {
        let left = self.0.unwilling.load(SeqCst);
        if left > 0 {
            self.0.unwilling.store(left - 1, SeqCst);
            self.0.refused.fetch_add(1, SeqCst);
            return false;
        }
        self.0.told.lock().unwrap().push(told.clone());
        true
    }

    fn is_gone(&self) -> bool {
        self.0.gone.load(SeqCst)
    }

    fn end(&self, _: Option<Messages>) {
        let (over, rung) = &self.0.over;
        *over.lock().unwrap() = true;
        rung.notify_all();
    }
}

fn schema() -> ir::Schema {
    let column = IrColumn { name: Name::from("n"), ty: Type::Int, nullable: false, span: Span::default() };
    ir::Schema { columns: vec![column], ..ir::Schema::default() }
}

fn place() -> Input {
    Input { node: NodeKey::of_file(&"room".into(), Slot::Gate), outlet: Outlet::Rows }
}

fn batch(from: u64, rows: u64) -> Piece {
    let values = Int64Array::from_iter_values((from..from + rows).map(u64::cast_signed));
    let rows = RecordBatch::try_from_iter([("n", Arc::new(values) as arrow::array::ArrayRef)]).unwrap();
    let upto = Ordinal(from + rows.num_rows() as u64);
    Piece::Rows(Batch { rows, ordinals: Ordinals::Range(Ordinal(from)), upto, clock: Clock::None })
}

/// Gives these looks, one after the other, then calls `behind` and gives nothing; the looks that were taken away.
fn engine(orders: Receiver<Order>, mut looks: Vec<Seen>, behind: impl Fn() + Send + 'static) -> std::thread::JoinHandle<bool> {
    looks.reverse();
    std::thread::spawn(move || {
        for order in orders {
            match order {
                Order::See(See::Tap { done, .. }) => _ = done.send(Ok(TapId(1))),
                Order::See(See::Look { done, .. }) => {
                    let seen = looks.pop().unwrap_or_else(|| {
                        behind();
                        Seen::default()
                    });
                    let _ = done.send(Some(seen));
                }
                Order::See(See::Untap { .. }) => return true,
                _ => panic!("nothing else is asked"),
            }
        }
        false
    })
}

fn begins() -> Piece {
    Piece::Begins { place: place(), schema: schema(), sources: Sources::default() }
}

fn look(limit: Option<u64>, rows_per_s: Option<u32>) -> Look {
    Look { place: "room".into(), condition: None, limit, rows_per_s }
}

fn run(look: Look, looks: Vec<Seen>, unwilling: usize) -> Arc<Reader> {
    let reader = Arc::new(Reader { unwilling: unwilling.into(), ..Reader::default() });
    let (orders, inbox) = sync_channel(4);
    let last = reader.clone();
    let left = move || {
        // Two more looks let what still waits go.
        if last.refused.load(SeqCst) >= unwilling && last.unwilling.load(SeqCst) == 0 {
            let skipped = last.skipped();
            let all = last.rows().len() as u64 + skipped;
            last.gone.store(all >= 30_000, SeqCst);
        }
    };
    let engine = engine(inbox, looks, left);
    look_on(look, orders, Arc::new(NoConditions), Box::new(Telling(reader.clone())), Stop::default()).unwrap();
    reader.wait_for_the_end();
    assert!(engine.join().unwrap(), "the tap is taken away");
    reader
}

/// Of 30,000 rows that pass, each is told or counted, also where the reader takes nothing for a while.
#[test]
fn a_row_is_told_or_counted() {
    for unwilling in [0, 12] {
        let mut looks = vec![Seen { pieces: vec![begins()], missed: 0 }];
        for nth in 0..10 {
            looks.push(Seen { pieces: vec![batch(nth * 3_000 + 500, 2_500)], missed: 500 });
        }
        let reader = run(look(None, None), looks, unwilling);
        let rows = reader.rows();
        assert_eq!(rows.len() as u64 + reader.skipped(), 30_000, "unwilling {unwilling} times");
        assert!(rows.windows(2).all(|two| two[0] < two[1]), "in order, each once");
        assert!(!rows.is_empty() && reader.skipped() >= 5_000);
        assert!(matches!(reader.told.lock().unwrap()[0], TapWord::Columns { again: false, .. }));
    }
}

#[test]
fn a_limit_ends_it_with_exactly_so_many_rows() {
    let looks = vec![Seen { pieces: vec![begins(), batch(0, 3), batch(3, 4_000)], missed: 0 }];
    let reader = run(look(Some(5), None), looks, 3);
    assert_eq!((reader.rows(), reader.skipped()), (vec![0, 1, 2, 3, 4], 0));
}

#[test]
fn a_calm_reader_gets_a_few_rows_and_the_number_of_the_others() {
    let looks = vec![Seen { pieces: vec![begins()], missed: 0 }, Seen { pieces: vec![batch(0, 30_000)], missed: 0 }];
    let reader = run(look(None, Some(20)), looks, 0);
    assert!(reader.rows().len() <= 20, "{}", reader.rows().len());
    assert_eq!(reader.rows().len() as u64 + reader.skipped(), 30_000);
}
