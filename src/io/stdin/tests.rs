//! Rows that trickle in.

use std::io::Write;
use std::time::{Duration as Wait, Instant};

use crate::io::testing::{Source, column, float, lines};
use crate::ir::{CsvOptions, Type};

use super::*;

fn spec(mode: Mode, columns: Vec<crate::ir::SourceColumn>) -> Arc<Spec> {
    let source = Source::of(None, None, columns);
    Arc::new(Spec::new(&"room".into(), mode, &source.decode(), &source.gate(), &source.schema()).unwrap())
}

fn next(stdin: &mut Stdin) -> Option<Block> {
    let began = Instant::now();
    loop {
        match stdin.next(&Place::beside(".")).unwrap() {
            None if !stdin.is_over() && began.elapsed() < Wait::from_secs(20) => std::thread::yield_now(),
            block => return block,
        }
    }
}

#[test]
fn rows_are_there_as_soon_as_their_line_ends() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let columns = vec![column("x", float(), false), column("t", Type::Text, false)];
    let mut stdin = Stdin::over(&spec(Mode::Live, columns), &FileFormat::Csv(CsvOptions::default()), reader).unwrap();
    assert!(stdin.next(&Place::beside(".")).unwrap().is_none() && !stdin.is_over());
    writer.write_all(b"t,x\n\"a\nb\",1\n\nc,").unwrap();
    let block = next(&mut stdin).unwrap();
    assert_eq!(lines(&block.rows), ["1,a", "b"]);
    assert!(stdin.next(&Place::beside(".")).unwrap().is_none());
    writer.write_all(b"2\nd,x\n").unwrap();
    let mut rest = next(&mut stdin).unwrap();
    while rest.len() + rest.aside.bad.len() < 2 {
        rest.aside.append(next(&mut stdin).unwrap().aside);
    }
    assert_eq!((lines(&rest.rows), rest.aside.bad[0].origin.as_str()), (vec!["2,c".to_owned()], "stdin:4"));
    drop(writer);
    assert!(next(&mut stdin).is_none() && stdin.is_over());
}

#[test]
fn rows_that_were_not_taken_are_read_in_their_new_meaning() {
    let columns = vec![column("x", float(), false)];
    let text = "{\"x\":1,\"y\":5}\n{\"x\":2,\"y\":6}\n{\"x\":3,\"y\":7}\n";
    let mut stdin = Stdin::over(&spec(Mode::Recorded, columns), &FileFormat::Jsonl, text.as_bytes()).unwrap();
    let block = stdin.next(&Place::beside(".")).unwrap().unwrap();
    assert_eq!(block.len(), 3);
    stdin.delivered(&block.at[..1], &Aside::default());
    let again = stdin.retune(&spec(Mode::Recorded, vec![column("y", Type::Int, false)]), &Place::beside(".")).unwrap();
    assert_eq!((lines(&again.unwrap().rows).join(" "), stdin.position()), ("6 7".to_owned(), 1));
    assert!(stdin.next(&Place::beside(".")).unwrap().is_none() && stdin.is_over());
    assert_eq!(stdin.position(), 3);
}

/// What is bad stands aside of the whole block and is told with its first row; the rows behind it are still to come.
#[test]
fn a_bad_record_does_not_take_the_rows_before_it_along() {
    let columns = vec![column("x", float(), false)];
    let text = "{\"x\":1}\n{\"x\":2}\n{\"x\":\"no\"}\n";
    let mut stdin = Stdin::over(&spec(Mode::Recorded, columns.clone()), &FileFormat::Jsonl, text.as_bytes()).unwrap();
    let block = stdin.next(&Place::beside(".")).unwrap().unwrap();
    assert_eq!((block.len(), block.aside.bad.len()), (2, 1));
    stdin.delivered(&block.at[..1], &block.aside);
    let again = stdin.retune(&spec(Mode::Recorded, columns), &Place::beside(".")).unwrap().unwrap();
    assert_eq!((lines(&again.rows).join(" "), again.aside.bad.len()), ("2".to_owned(), 0));
    stdin.delivered(&again.at, &Aside::default());
    assert_eq!(stdin.position(), 3);
}

#[test]
fn a_quote_that_is_not_closed_costs_its_line() {
    let columns = vec![column("x", float(), false), column("t", Type::Text, false)];
    let text = "t,x\n\"a\nb\",1\n\"c,2\n\n\"d\",3\ne,4\n\"f,5\n";
    let mut stdin =
        Stdin::over(&spec(Mode::Recorded, columns), &FileFormat::Csv(CsvOptions::default()), text.as_bytes()).unwrap();
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    while let Some(block) = stdin.next(&Place::beside(".")).unwrap() {
        rows.extend(lines(&block.rows));
        bad.extend(block.aside.bad.into_iter().map(|bad| (bad.raw, bad.origin)));
    }
    assert_eq!(rows.join("\n"), "1,a\nb\n3,d\n4,e");
    let bad: Vec<(&str, &str)> = bad.iter().map(|(raw, origin)| (raw.as_str(), origin.as_str())).collect();
    assert_eq!(bad, [("\"c,2", "stdin:3"), ("\"f,5", "stdin:6")]);
}

#[test]
fn a_missing_column_is_an_error_with_the_header() {
    let columns = vec![column("x", float(), false)];
    let text = "a,b\n1,2\n";
    let mut stdin =
        Stdin::over(&spec(Mode::Recorded, columns), &FileFormat::Csv(CsvOptions::default()), text.as_bytes()).unwrap();
    assert_eq!(stdin.next(&Place::beside(".")).unwrap_err().code, Code::E0714);
    assert!(Stdin::over(&spec(Mode::Live, vec![]), &FileFormat::Parquet, std::io::empty()).is_err());
}
