//! Counts the bytes that a thread allocates. `memory <= 2MiB` in a policy is measured with it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator with two counters per thread: two additions and a comparison on each call, no atomic.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    /// Allocated by this thread less freed by it; negative where it frees what others made.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn grown(bytes: isize) {
    // A thread that is ending has no counters any more, and nobody asks for them.
    let _ = HELD.try_with(|held| {
        let now = held.get() + bytes;
        held.set(now);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now)));
    });
}

// SAFETY: every call is handed on to the system's allocator unchanged; the counters allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        grown(-(layout.size() as isize));
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grown(size as isize - layout.size() as isize);
        unsafe { System.realloc(at, layout, size) }
    }
}

/// What a piece of work held, in bytes, beyond what its thread held before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub peak: u64,
    pub at_end: i64,
}

/// Runs `work`, which must stay on this thread, and counts.
pub fn counted<R>(work: impl FnOnce() -> R) -> (R, Counted) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    let peak = u64::try_from(PEAK.get() - before).unwrap_or_default();
    (result, Counted { peak, at_end: (HELD.get() - before) as i64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_of_a_thread_is_counted_and_of_no_other() {
        let (kept, counted) = counted(|| {
            drop(vec![0u8; 3_000_000]);
            let other = std::thread::spawn(|| vec![1u8; 9_000_000].len());
            assert_eq!(other.join().unwrap(), 9_000_000);
            vec![2u8; 1_000_000]
        });
        assert!((3_000_000..3_100_000).contains(&counted.peak), "{counted:?}");
        assert!((1_000_000..1_100_000).contains(&counted.at_end), "{counted:?} with {} bytes kept", kept.len());
    }
}
