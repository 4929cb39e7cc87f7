//! Every order in which threads may wish for an end, wait for it, and tell what stands for good.

use std::time::Duration;

use shuttle::sync;
use shuttle::thread;

use crate::base::sync::in_every_order;
use crate::io::SinkMark;

#[expect(clippy::duplicate_mod, reason = "the same module over a scheduler that tries every order")]
#[allow(dead_code, reason = "only some of it is needed here")]
#[path = "stop.rs"]
mod stop;

#[expect(clippy::duplicate_mod, reason = "the same module over a scheduler that tries every order")]
#[allow(dead_code, reason = "only some of it is needed here")]
#[path = "sinks/standing.rs"]
mod standing;

use standing::{Standing, Stands};
use stop::{Stop, Wanted};
use sync::Arc;
use sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Longer than anybody waits.
const LONG: Duration = Duration::from_secs(1_000_000);

#[test]
fn whoever_waits_hears_a_wish_whenever_it_comes() {
    in_every_order(|| {
        let stop = Stop::default();
        let (waits, wishes) = (stop.clone(), stop.clone());
        let waiting = thread::spawn(move || waits.wait(LONG, Wanted::End));
        let wish = thread::spawn(move || wishes.please());
        assert!(!waiting.join().expect("it only waits"), "it has waited for ever");
        wish.join().expect("it only wishes");
        assert_eq!(stop.wanted(), Wanted::End);
    });
}

#[test]
fn two_wishes_are_an_urgent_one_whoever_has_them() {
    in_every_order(|| {
        let stop = Stop::default();
        let waits = stop.clone();
        let waiting = thread::spawn(move || waits.wait(LONG, Wanted::Hurry));
        let wishes = stop.clone();
        let wish = thread::spawn(move || wishes.please());
        stop.please();
        wish.join().expect("it only wishes");
        assert_eq!(stop.wanted(), Wanted::Hurry);
        assert!(!waiting.join().expect("it only waits"));
    });
}

/// A writer gives up two rows of three and says so; whoever takes an epoch meanwhile sees each row written, lost or still to be
/// written, and none as two of these.
#[test]
fn a_row_that_is_lost_is_not_to_be_written_too() {
    in_every_order(|| {
        let (stands, lost) = (Arc::new(Stands::at(0, SinkMark::default())), Arc::new(AtomicU64::new(0)));
        let (says, counts) = (stands.clone(), lost.clone());
        let writer = thread::spawn(move || {
            for (settled, given_up) in [(1, 0), (3, 2)] {
                counts.fetch_add(given_up, Relaxed);
                says.set(Standing { settled, lost: counts.load(Relaxed), mark: SinkMark::default() });
            }
        });
        for _ in 0..2 {
            let Standing { settled, lost, .. } = stands.get();
            assert!([(0, 0), (1, 0), (3, 2)].contains(&(settled, lost)), "{settled} settled, {lost} lost");
        }
        writer.join().expect("it only writes");
    });
}
