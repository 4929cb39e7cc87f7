//! `mliot explain CODE`.

use crate::base::nearest;
use crate::diag::Code;

use super::Outcome;
use super::args::ExplainArgs;
use super::terminal::{note, say};

pub fn explain(args: &ExplainArgs) -> Outcome {
    if let Ok(code) = args.code.parse::<Code>() {
        say(code.page());
        return Outcome::Good;
    }
    note(&format!("`{}` is no code of mliot", args.code));
    match nearest(&args.code, Code::ALL.iter().map(|code| code.as_str())) {
        Some(code) => note(&format!("  help: did you mean {code}?")),
        None => note("  help: codes look like E0301, W0001 or R0001; they stand at the beginning of each message"),
    }
    Outcome::Refused
}
