//! A panic inside one part is a failure of that part, and of nothing else: the engine steps many.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::diag::Code;
use crate::node::NodeError;

/// What a call gives; its panic as an error. Whoever asks must not use what the call was changing any further: a failed node
/// is given nothing more until it is built anew.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, NodeError>) -> Result<T, NodeError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

fn panicked(panic: &(dyn Any + Send)) -> NodeError {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word");
    NodeError::new(Code::R0001, format!("it panicked: {text}")).help("report this as a bug of mliot, with the file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        let error = guarded(|| -> Result<(), NodeError> { panic!("no such {}", "thing") }).unwrap_err();
        assert_eq!(error.message, "it panicked: no such thing");
        assert_eq!(guarded(|| Ok(7)), Ok(7));
    }
}
