//! Journals that are written, torn, damaged, trimmed and read from anywhere.

use std::ops::Range;
use std::sync::mpsc::channel;

use proptest::prelude::*;

use super::*;

fn limits() -> JournalLimits {
    JournalLimits { segment_bytes: 400, history_bytes_max: 0, commit_wait: Duration::ZERO, ..JournalLimits::default() }
}

fn records(of: &[&str]) -> Records {
    let mut all = Records::default();
    of.iter().for_each(|record| all.push(record.as_bytes()));
    all
}

/// Appends one frame, and waits until it is on the disk.
fn append(journal: &Journal, at: i64, of: &[&str]) -> Result<Range<u64>, IoError> {
    let (sender, answer) = channel();
    journal.append(Time(at), b"h", records(of), Box::new(move |done| _ = sender.send(done))).unwrap();
    answer.recv().unwrap()
}

/// Everything from a sequence number on, as `number:record`, with what is lost as `from-to lost`.
fn read(journal: &Journal, from: u64) -> Vec<String> {
    let mut reader = journal.reader(from);
    let mut out = Vec::new();
    while let Some(found) = reader.next().unwrap() {
        match found {
            Found::Frame(frame) => {
                let text = |nth: usize| String::from_utf8(frame.records.get(nth).to_vec()).unwrap();
                out.extend((0..frame.records.len()).map(|nth| format!("{}:{}", frame.first + nth as u64, text(nth))));
            }
            Found::Lost { records, .. } if records.is_empty() => {}
            Found::Lost { records, .. } => out.push(format!("{}-{} lost", records.start, records.end)),
        }
    }
    out
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    Segment::list(folder).unwrap().into_iter().map(|segment| segment.path).collect()
}

#[test]
fn what_was_acknowledged_is_read_after_a_restart_from_any_number() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), limits()).unwrap();
    assert_eq!((journal.next(), read(&journal, 0)), (0, vec![]));
    assert_eq!(append(&journal, 1, &["a", "b"]).unwrap(), 0..2);
    assert_eq!(append(&journal, 2, &["c"]).unwrap(), 2..3);
    assert_eq!(read(&journal, 1), ["1:b", "2:c"]);
    let long = "x".repeat(500);
    append(&journal, 3, &[&long]).unwrap();
    append(&journal, 4, &["e"]).unwrap();
    assert_eq!(segments(folder.path()).len(), 2);
    drop(journal);
    let journal = Journal::open(folder.path(), limits()).unwrap();
    assert_eq!((journal.next(), journal.taken()), (5, 0));
    let all = ["0:a".to_owned(), "1:b".into(), "2:c".into(), format!("3:{long}"), "4:e".into()];
    for from in 0..=5 {
        assert_eq!(read(&journal, from), all[from as usize..]);
    }
    assert_eq!(append(&journal, 5, &["f"]).unwrap(), 5..6);
    let Some(Found::Frame(last)) = journal.reader(5).next().unwrap() else { panic!("a frame") };
    assert_eq!((last.arrived, last.header.as_slice()), (Time(5), b"h".as_slice()));
}

#[test]
fn one_run_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), limits()).unwrap();
    let error = Journal::open(folder.path(), limits()).unwrap_err();
    assert_eq!(error.code, Code::R0714);
    assert!(error.message.contains("used by another run"), "{error}");
    drop(journal);
    Journal::open(folder.path(), limits()).unwrap();
}

#[test]
fn trimming_deletes_whole_segments_and_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), limits()).unwrap();
    let long = "x".repeat(250);
    for at in 0..6 {
        append(&journal, at, &[&long]).unwrap();
    }
    let before = segments(folder.path()).len();
    assert!(before >= 3, "{before}");
    journal.trim(4).unwrap();
    assert!(segments(folder.path()).len() < before);
    drop(journal);
    let journal = Journal::open(folder.path(), limits()).unwrap();
    assert_eq!((journal.taken(), journal.next()), (4, 6));
    assert_eq!(read(&journal, 4).len(), 2);
    // All of it was trimmed: what comes next begins a new segment, and the old ones go.
    journal.trim(u64::MAX).unwrap();
    append(&journal, 9, &["new"]).unwrap();
    journal.trim(7).unwrap();
    assert_eq!(segments(folder.path()).len(), 1);
    append(&journal, 9, &["newer"]).unwrap();
    assert_eq!(read(&journal, journal.taken().max(7)), ["7:newer"]);
}

#[test]
fn what_was_trimmed_is_read_once_more_within_its_limit_and_takes_no_room() {
    let folder = tempfile::tempdir().unwrap();
    let limits = JournalLimits { history_bytes_max: 1_000, bytes_max: 1_000, ..limits() };
    let journal = Journal::open(folder.path(), limits).unwrap();
    let long = "x".repeat(300);
    for at in 0..12 {
        append(&journal, at, &[&long]).unwrap();
        journal.trim(at as u64 + 1).unwrap();
    }
    let earliest = journal.earliest();
    assert!((4..10).contains(&earliest), "{earliest}");
    assert_eq!(read(&journal, earliest).len() as u64, 12 - earliest);
    drop(journal);
    let journal = Journal::open(folder.path(), limits).unwrap();
    assert_eq!((journal.earliest(), journal.taken(), journal.next()), (earliest, 12, 12));
}

#[test]
fn a_full_journal_takes_nothing_and_says_so_once() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), JournalLimits { bytes_max: 700, ..limits() }).unwrap();
    let long = "x".repeat(200);
    append(&journal, 0, &[&long]).unwrap();
    append(&journal, 0, &[&long]).unwrap();
    for _ in 0..2 {
        let refused = journal.append(Time(0), b"", records(&[&long]), Box::new(|_| panic!("it was not taken")));
        assert_eq!(refused, Err(NotAppended::Full { bytes_max: 700 }));
    }
    let notes = journal.take_notes();
    assert_eq!((notes.len(), notes[0].code), (1, Code::R0715));
    append(&journal, 0, &["short"]).unwrap();
    journal.trim(3).unwrap();
    append(&journal, 0, &["next"]).unwrap();
    journal.trim(4).unwrap();
    append(&journal, 0, &[&long]).unwrap();
    let far = "x".repeat(800);
    assert_eq!(journal.append(Time(0), b"", records(&[&far]), Box::new(|_| {})), Err(NotAppended::TooLarge));
}

#[test]
fn a_damaged_frame_is_named_and_what_follows_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), JournalLimits { segment_bytes: 1 << 20, ..limits() }).unwrap();
    for name in ["a", "b", "c"] {
        append(&journal, 0, &[name, name]).unwrap();
    }
    drop(journal);
    let path = &segments(folder.path())[0];
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, &bytes).unwrap();
    let journal = Journal::open(folder.path(), limits()).unwrap();
    assert_eq!((read(&journal, 0).join(" "), journal.next()), ("0:a 1:a 2-4 lost 4:c 5:c".to_owned(), 6));
    let mut reader = journal.reader(2);
    let Some(Found::Lost { records, place }) = reader.next().unwrap() else { panic!("lost") };
    assert_eq!((records.clone(), place.as_str()), (2..4, "00000000000000000000.log, byte 59"));
    let told = damaged(&"room".into(), &records, &place);
    assert!(told.help.unwrap().contains("rows 3 to 4"));
}

#[test]
fn a_segment_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), limits()).unwrap();
    let long = "x".repeat(500);
    for name in ["a", &long, "b", &long, "c"] {
        append(&journal, 0, &[name]).unwrap();
    }
    drop(journal);
    let all = segments(folder.path());
    assert_eq!(all.len(), 3);
    fs::remove_file(&all[1]).unwrap();
    let journal = Journal::open(folder.path(), limits()).unwrap();
    let found: Vec<String> = read(&journal, 0).into_iter().filter(|line| line.len() < 20).collect();
    assert_eq!(found, ["0:a", "2-4 lost", "4:c"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Torn at every byte of its last frame, it is whole up to the frame before, and goes on from there.
    #[test]
    fn torn_at_every_byte_it_goes_on(frames in prop::collection::vec(prop::collection::vec("[a-z]{0,6}", 1..4), 1..5)) {
        let whole = tempfile::tempdir().unwrap();
        let journal = Journal::open(whole.path(), JournalLimits { segment_bytes: 1 << 20, ..limits() }).unwrap();
        let (mut starts, mut all) = (Vec::new(), Vec::new());
        for frame in &frames {
            starts.push(all.len());
            let texts: Vec<&str> = frame.iter().map(String::as_str).collect();
            append(&journal, 0, &texts).unwrap();
            all.extend(texts.iter().enumerate().map(|(nth, text)| format!("{}:{text}", starts.last().unwrap() + nth)));
        }
        prop_assert_eq!(&read(&journal, 0), &all);
        drop(journal);
        let path = &segments(whole.path())[0];
        let bytes = fs::read(path).unwrap();
        let kept = *starts.last().unwrap();
        let last = bytes.len() - Frame { first: 0, arrived: Time(0), header: b"h".to_vec(), key: None, records: {
            let texts: Vec<&str> = frames.last().unwrap().iter().map(String::as_str).collect();
            records(&texts)
        } }.bytes();
        for length in last..bytes.len() {
            let torn = tempfile::tempdir().unwrap();
            fs::write(torn.path().join(path.file_name().unwrap()), &bytes[..length]).unwrap();
            let journal = Journal::open(torn.path(), limits()).unwrap();
            prop_assert_eq!(&read(&journal, 0), &all[..kept]);
            prop_assert_eq!(append(&journal, 0, &["more"]).unwrap(), kept as u64..kept as u64 + 1);
            prop_assert_eq!(read(&journal, kept as u64), [format!("{kept}:more")]);
        }
    }
}
