//! The grammar of `grammar/mliot.pest`, compiled.

use pest::Parser;
use pest::error::Error;
use pest::iterators::Pair;

#[derive(pest_derive::Parser)]
#[grammar = "grammar/mliot.pest"]
struct Grammar;

/// The declaration that a piece of text holds, as pest's pairs.
pub fn read(piece: &str) -> Result<Pair<'_, Rule>, Box<Error<Rule>>> {
    let mut pairs = Grammar::parse(Rule::start, piece)?;
    let start = pairs.next().expect("`start` is one pair");
    let piece = start.into_inner().next().expect("`start` holds a piece");
    Ok(piece.into_inner().next().expect("a piece holds a declaration"))
}
