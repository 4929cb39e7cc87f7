//! Streams that go on under another name: said so by the text, or recognised because exactly one that went and one that came
//! do the same with the same rows.

use std::collections::BTreeMap;

use mliot::base::Name;

use super::sheet::{Sheet, Stream};

/// Old names to new ones.
pub fn renames(before: &Sheet, after: &Sheet) -> BTreeMap<Name, Name> {
    let mut renames = said(before, after);
    let gone = only(before, after);
    let came = only(after, before);
    loop {
        let free = |name: &String| renames.iter().all(|(old, new)| **old != **name && **new != **name);
        let open: Vec<&Stream> = gone.iter().copied().filter(|stream| free(&stream.name)).collect();
        let new: Vec<&Stream> = came.iter().copied().filter(|stream| free(&stream.name)).collect();
        let today: Vec<Stream> = open.iter().map(|stream| read_through(before, stream, &renames)).collect();
        let there: Vec<Stream> = new.iter().map(|stream| read_through(after, stream, &BTreeMap::new())).collect();
        let pair = today.iter().find_map(|old| {
            let alone = today.iter().filter(|other| does_the_same(old, other)).count() == 1;
            let mut found = there.iter().filter(|new| does_the_same(old, new));
            let new = found.next().filter(|_| alone)?;
            found.next().is_none().then(|| (old.name.clone(), new.name.clone()))
        });
        let Some((old, new)) = pair else { return renames };
        renames.insert(old.as_str().into(), new.as_str().into());
    }
}

fn said(before: &Sheet, after: &Sheet) -> BTreeMap<Name, Name> {
    let said = after.streams.iter().filter_map(|stream| Some((stream.was.clone()?, stream.name.clone())));
    let said = said.filter(|(old, new)| has(before, old) && !has(after, old) && !has(before, new));
    said.map(|(old, new)| (old.as_str().into(), new.as_str().into())).collect()
}

fn has(sheet: &Sheet, name: &str) -> bool {
    sheet.streams.iter().any(|stream| stream.name == name)
}

/// Streams of one text that the other does not have. One without stages is no node, and has no name to lose.
fn only<'a>(sheet: &'a Sheet, other: &Sheet) -> Vec<&'a Stream> {
    sheet.streams.iter().filter(|stream| !has(other, &stream.name) && !stream.stages.is_empty()).collect()
}

fn does_the_same(left: &Stream, right: &Stream) -> bool {
    left.input == right.input && left.stages == right.stages
}

/// What it reads, by today's names, through streams without stages.
fn read_through(sheet: &Sheet, stream: &Stream, renames: &BTreeMap<Name, Name>) -> Stream {
    let name = |name: &String| -> String {
        let mut at = name;
        while let Some(empty) = sheet.streams.iter().find(|other| other.name == *at && other.stages.is_empty()) {
            at = &empty.input;
        }
        renames.get(at.as_str()).map_or_else(|| at.clone(), ToString::to_string)
    };
    let mut today = Stream { input: name(&stream.input), was: None, ..stream.clone() };
    for stage in &mut today.stages {
        stage.others_mut().iter_mut().for_each(|other| *other = name(other));
    }
    today
}
