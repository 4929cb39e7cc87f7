//! A panic inside one part is a failure of that part, and of nothing else: the engine steps many.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::diag::Code;
use crate::node::{Batch, Migration, Node, NodeError, Ordinal, Out, Port, Predicts, Retune, State};

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

/// A node whose panics are errors, whoever steps it, asks it what it remembers, or gives it something to remember.
pub(super) struct Guarded(Box<dyn Node>);

impl Guarded {
    pub fn over(node: Box<dyn Node>) -> Box<dyn Node> {
        Box::new(Guarded(node))
    }
}

impl Node for Guarded {
    fn batch(&mut self, port: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        guarded(|| self.0.batch(port, batch, out))
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        guarded(|| self.0.end(at, out))
    }

    fn save(&mut self) -> Result<State, NodeError> {
        guarded(|| self.0.save())
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        guarded(|| self.0.load(state))
    }

    fn migrate(&mut self, migration: Migration) -> Result<(), NodeError> {
        guarded(|| self.0.migrate(migration))
    }

    /// What it gives is to be guarded by whoever asks.
    fn retune(&mut self) -> Option<&mut dyn Retune> {
        self.0.retune()
    }

    fn predicts(&mut self) -> Option<&mut dyn Predicts> {
        self.0.predicts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Hash;

    #[test]
    fn a_panic_is_an_error_with_its_words() {
        let error = guarded(|| -> Result<(), NodeError> { panic!("no such {}", "thing") }).unwrap_err();
        assert_eq!(error.message, "it panicked: no such thing");
        assert_eq!(guarded(|| Ok(7)), Ok(7));
    }

    struct Bad;

    impl Node for Bad {
        fn batch(&mut self, _: Port, _: Batch, _: &mut Out) -> Result<(), NodeError> {
            panic!("in a batch")
        }

        fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
            panic!("at the end")
        }

        fn save(&mut self) -> Result<State, NodeError> {
            panic!("in a save")
        }

        fn load(&mut self, _: State) -> Result<(), NodeError> {
            panic!("in a load")
        }
    }

    #[test]
    fn nothing_that_a_node_does_panics() {
        let mut node = Guarded::over(Box::new(Bad));
        let errors =
            [node.end(Ordinal(0), &mut Out::default()), node.save().map(|_| ()), node.load(State::empty(1, Hash::default()))];
        let words = errors.map(|error| error.unwrap_err().message);
        assert_eq!(words, ["it panicked: at the end", "it panicked: in a save", "it panicked: in a load"]);
    }
}
