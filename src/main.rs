//! The program `mliot`.

use std::process::ExitCode;

fn main() -> ExitCode {
    mliot::cli::main()
}
