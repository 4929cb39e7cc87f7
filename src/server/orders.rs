//! Every order in which threads may open, replace, find and close what a listener has.

use shuttle::sync;
use shuttle::thread;

use crate::base::sync::in_every_order;

#[expect(clippy::duplicate_mod, reason = "the same module over a scheduler that tries every order")]
#[allow(dead_code, reason = "only some of it is needed here")]
#[path = "named.rs"]
mod named;

use named::Named;
use sync::Arc;

#[test]
fn a_newer_thing_survives_the_older_ones_end_and_who_asks_always_finds_one() {
    in_every_order(|| {
        let doors = Named::<u32>::default();
        let old = doors.open(&"occupancy".into(), Arc::new(1));
        let asked = doors.clone();
        let asks =
            thread::spawn(move || [asked.get("occupancy"), asked.get("occupancy")].map(|found| found.as_deref().copied()));
        let opens = doors.clone();
        let swap = thread::spawn(move || {
            let new = opens.open(&"occupancy".into(), Arc::new(2));
            drop(old);
            new
        });
        let [first, second] = asks.join().expect("it only asks");
        assert!(first.is_some() && second.is_some() && first <= second, "{first:?}, then {second:?}");
        let new = swap.join().expect("it only swaps");
        assert_eq!(doors.get("occupancy").as_deref(), Some(&2));
        drop(new);
        assert!(doors.get("occupancy").is_none());
    });
}

#[test]
fn two_who_open_under_one_name_leave_one_until_both_have_gone() {
    in_every_order(|| {
        let doors = Named::<u32>::default();
        let open = |value: u32| {
            let doors = doors.clone();
            thread::spawn(move || doors.open(&"rows".into(), Arc::new(value)))
        };
        let (one, other) = (open(1), open(2));
        let (one, other) = (one.join().expect("it opens"), other.join().expect("it opens"));
        let found = doors.get("rows").as_deref().copied().expect("one of them");
        let (newer, older) = if found == 1 { (one, other) } else { (other, one) };
        drop(older);
        assert_eq!(doors.get("rows").as_deref(), Some(&found));
        drop(newer);
        assert!(doors.get("rows").is_none());
    });
}
