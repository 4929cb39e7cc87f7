//! Every order in which threads may share what is open to the world, and wait for room in a journal.

use std::cell::RefCell;
use std::rc::Rc;

use shuttle::sync;
use shuttle::thread;

use crate::base::sync::in_every_order;

#[expect(clippy::duplicate_mod, reason = "the same module over a scheduler that tries every order")]
#[allow(dead_code, reason = "only some of it is needed here")]
#[path = "resources.rs"]
mod resources;

#[expect(clippy::duplicate_mod, reason = "the same module over a scheduler that tries every order")]
#[allow(dead_code, reason = "only some of it is needed here")]
#[path = "journal/bell.rs"]
mod bell;

use bell::Bell;
use sync::atomic::{AtomicUsize, Ordering::SeqCst};
use sync::{Arc, Mutex};

/// Something of which there may be one at a time; closing it takes a while.
struct Only(Arc<AtomicUsize>);

impl Only {
    fn open(count: &Arc<AtomicUsize>) -> Result<Only, String> {
        match count.fetch_add(1, SeqCst) {
            0 => Ok(Only(count.clone())),
            others => Err(format!("{others} are open")),
        }
    }
}

impl Drop for Only {
    fn drop(&mut self) {
        thread::yield_now();
        self.0.fetch_sub(1, SeqCst);
    }
}

/// As where a request still holds what an edit has let go of, and the next edit wants it back.
#[test]
fn of_one_that_is_being_closed_no_second_one_is_opened() {
    in_every_order(|| {
        let (table, count) = (Arc::new(resources::Table::<u8, Only>::default()), Arc::new(AtomicUsize::new(0)));
        let first = table.lease(&1, || Only::open(&count)).expect("the first one");
        let last = first.clone();
        let request = thread::spawn(move || drop(last));
        drop(first);
        let again = table.lease(&1, || Only::open(&count)).unwrap_or_else(|why| panic!("it cannot be opened: {why}"));
        assert_eq!(table.len(), 1);
        request.join().expect("it only lets go");
        drop(again);
        assert_eq!((table.len(), count.load(SeqCst)), (0, 0));
    });
}

/// The journal's writer makes room and rings; whoever found none waits for that, and never for ever.
#[test]
fn who_finds_no_room_is_woken_by_the_next_that_is_made() {
    in_every_order(|| {
        let (room, bell) = (Arc::new(Mutex::new(false)), Arc::new(Bell::default()));
        let (made, rung) = (room.clone(), bell.clone());
        let writer = thread::spawn(move || {
            *made.lock().expect("nobody panics") = true;
            rung.ring();
        });
        loop {
            let heard = bell.heard();
            if *room.lock().expect("nobody panics") {
                break;
            }
            bell.wait(heard, std::time::Duration::MAX);
        }
        writer.join().expect("it only writes");
    });
}

/// Notes when it is opened and closed.
struct Port(u16, Rc<RefCell<Vec<String>>>);

impl Drop for Port {
    fn drop(&mut self) {
        self.1.borrow_mut().push(format!("close {}", self.0));
    }
}

#[test]
fn equal_options_share_and_the_last_lease_closes() {
    let (table, log) = (super::resources::Table::<u16, Port>::default(), Rc::new(RefCell::new(Vec::new())));
    let open = |port: u16| {
        table.lease(&port, || {
            log.borrow_mut().push(format!("open {port}"));
            if port == 0 { Err("no such port") } else { Ok(Port(port, log.clone())) }
        })
    };
    let first = open(8080).unwrap();
    let second = open(8080).unwrap();
    drop(first);
    assert_eq!(table.len(), 1);
    let other = open(8081).unwrap();
    drop(second);
    assert!(open(0).is_err());
    drop(other);
    assert!(table.is_empty());
    let again = open(8080).unwrap();
    assert_eq!(*log.borrow(), ["open 8080", "open 8081", "close 8080", "open 0", "close 8081", "open 8080"]);
    drop(again);
}
