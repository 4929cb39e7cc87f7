//! Paths with globs and patterns, and the files that fit them.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::base::Name;
use crate::diag::Code;

use super::archive::{self, Member};
use super::error::{IoError, cannot_be_read};
use super::place::Place;

/// At most so many files make one recording.
pub(super) const FILES_MAX: usize = 100_000;

/// A file of a recording.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub path: PathBuf,
    /// As people know it: relative to the folder in which it was looked for, with `/`.
    pub name: Name,
    /// What each `{pattern}` of the path stands for here, in the order of the path.
    pub values: Vec<(Name, String)>,
    /// In an archive, whose path `path` then is.
    pub member: Option<Member>,
}

impl Found {
    /// A file by itself, without patterns.
    pub fn of(path: PathBuf, name: Name) -> Found {
        Found { path, name, values: Vec::new(), member: None }
    }
}

/// `gas-drift/batch{batch}.csv.gz`, taken apart.
pub(super) struct Template {
    text: String,
    /// The folders in front of the first part that is not plain.
    root: PathBuf,
    /// Of the whole text, with one group per pattern.
    matcher: Option<Regex>,
    patterns: Vec<Name>,
    /// How many folders below the root files stand; none where `**` allows any.
    depth: Option<usize>,
    /// Of members, where the path leads into archives.
    inside: Option<Inside>,
}

/// Which members of an archive are meant.
struct Inside {
    text: String,
    matcher: Regex,
    patterns: Vec<Name>,
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, IoError> {
        let text = &plainly(text);
        match archive::split(text) {
            None => Template::of_files(text),
            Some((archive, inside)) => {
                let (expression, patterns) = expression(inside);
                let matcher = Regex::new(&expression).map_err(|error| not_a_path(text, &error.to_string()))?;
                let inside = Inside { text: inside.to_owned(), matcher, patterns };
                Ok(Template { inside: Some(inside), ..Template::of_files(archive)? })
            }
        }
    }

    fn of_files(text: &str) -> Result<Template, IoError> {
        let is_plain = |part: &&str| !part.contains(['*', '?', '{', '[']);
        let parts: Vec<&str> = text.split('/').collect();
        let plain = parts.iter().take_while(|part| is_plain(part)).count();
        if plain == parts.len() {
            return Ok(Template {
                text: text.into(),
                root: text.into(),
                matcher: None,
                patterns: vec![],
                depth: Some(0),
                inside: None,
            });
        }
        let (expression, patterns) = expression(text);
        let matcher = Regex::new(&expression).map_err(|error| not_a_path(text, &error.to_string()))?;
        let depth = (!text.contains("**")).then(|| parts.len() - plain);
        let root = if plain == 1 && parts[0].is_empty() { "/".into() } else { parts[..plain].join("/").into() };
        Ok(Template { text: text.into(), root, matcher: Some(matcher), patterns, depth, inside: None })
    }

    /// The folders in front of the first part that is not plain; the whole path where all parts are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All files that fit, in natural order of their names, and the folders that were searched.
    pub fn find(&self, place: &Place) -> Result<Vec<Found>, IoError> {
        let folders = place.folders(Path::new(&self.text));
        for folder in &folders {
            let mut found = Vec::new();
            match &self.matcher {
                None if folder.join(&self.text).exists() => found.push(self.whole(folder)),
                None => {}
                Some(matcher) => self.walk(folder, &folder.join(&self.root), matcher, 0, &mut found)?,
            }
            if !found.is_empty() {
                if let Some(inside) = &self.inside {
                    found = inside.members(found)?;
                }
                found.sort_by(|a, b| natural(&a.name, &b.name));
                return Ok(found);
            }
        }
        Err(no_such_file(&self.text, &folders))
    }

    fn whole(&self, folder: &Path) -> Found {
        Found::of(folder.join(&self.text), self.text.as_str().into())
    }

    fn walk(&self, folder: &Path, at: &Path, matcher: &Regex, depth: usize, found: &mut Vec<Found>) -> Result<(), IoError> {
        let entries = match fs::read_dir(at) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                return Ok(());
            }
            Err(error) => return Err(cannot_be_read(at, &error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| cannot_be_read(at, &error))?.path();
            if path.is_dir() {
                if self.depth.is_none_or(|deepest| depth + 1 < deepest) {
                    self.walk(folder, &path, matcher, depth + 1, found)?;
                }
            } else if let Some(one) = self.fit(folder, path, matcher) {
                found.push(one);
                if found.len() > FILES_MAX {
                    return Err(too_many_files(&self.text));
                }
            }
        }
        Ok(())
    }

    fn fit(&self, folder: &Path, path: PathBuf, matcher: &Regex) -> Option<Found> {
        let below = path.strip_prefix(folder).unwrap_or(&path);
        let name = below.to_str()?.replace(std::path::MAIN_SEPARATOR, "/");
        let groups = matcher.captures(&name)?;
        let value = |nth: usize| groups.get(nth + 1).map(|group| group.as_str().to_owned()).unwrap_or_default();
        let values = self.patterns.iter().enumerate().map(|(nth, pattern)| (pattern.clone(), value(nth))).collect();
        Some(Found { values, ..Found::of(path, name.as_str().into()) })
    }
}

impl Inside {
    fn members(&self, archives: Vec<Found>) -> Result<Vec<Found>, IoError> {
        let mut found = Vec::new();
        for archive in archives {
            for (name, member) in archive::members(&archive.path)? {
                let Some(groups) = self.matcher.captures(&name) else { continue };
                let value = |nth: usize| groups.get(nth + 1).map(|group| group.as_str().to_owned()).unwrap_or_default();
                let own = self.patterns.iter().enumerate().map(|(nth, pattern)| (pattern.clone(), value(nth)));
                let values = archive.values.iter().cloned().chain(own).collect();
                let name = format!("{}/{name}", archive.name);
                found.push(Found { path: archive.path.clone(), name: name.into(), values, member: Some(member) });
                if found.len() > FILES_MAX {
                    return Err(too_many_files(&self.text));
                }
            }
        }
        if found.is_empty() { Err(no_member(&self.text)) } else { Ok(found) }
    }
}

/// Without the folders that mean themselves.
fn plainly(text: &str) -> String {
    let mut out = text.replace("/./", "/");
    while let Some(rest) = out.strip_prefix("./") {
        out = rest.to_owned();
    }
    out
}

/// As a regular expression, with the names of its groups in order.
fn expression(text: &str) -> (String, Vec<Name>) {
    let (mut out, mut names) = (String::from("^(?s:"), Vec::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let mut used = first.len_utf8();
        match first {
            '*' if rest.starts_with("**/") => (used, out) = (3, out + "(?:.*/)?"),
            '*' if rest.starts_with("**") => (used, out) = (2, out + ".*"),
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '{' => match rest.find('}') {
                Some(end) => {
                    names.push(Name::from(&rest[1..end]));
                    out.push_str("([^/]+?)");
                    used = end + 1;
                }
                None => out.push_str("\\{"),
            },
            _ => out.push_str(&regex::escape(&rest[..used])),
        }
        rest = &rest[used..];
    }
    (out + ")$", names)
}

/// Numbers in the text count as numbers: `batch2` stands before `batch10`.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (digits_a, digits_b) = (digits(a), digits(b));
        let order = if digits_a > 0 && digits_b > 0 {
            let (left, right) = (stripped(&a[..digits_a]), stripped(&b[..digits_b]));
            let order = left.len().cmp(&right.len()).then_with(|| left.cmp(right)).then(digits_a.cmp(&digits_b));
            (a, b) = (&a[digits_a..], &b[digits_b..]);
            order
        } else {
            let Some((first, second)) = a.split_first().zip(b.split_first()) else { return a.len().cmp(&b.len()) };
            (a, b) = (first.1, second.1);
            first.0.cmp(second.0)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn stripped(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().take_while(|byte| **byte == b'0').count()..]
}

fn no_such_file(text: &str, folders: &[PathBuf]) -> IoError {
    let looked: Vec<String> = folders.iter().map(|folder| format!("`{}`", shown(folder))).collect();
    let what = if text.contains(['*', '?', '{']) { "no file fits" } else { "there is no file" };
    let message = format!("{what} `{text}`; looked in {}", looked.join(" and "));
    let help = if folders.len() == 1 && !Path::new(text).is_absolute() {
        "write the path relative to the .mliot file, or set MLIOT_DATA to the folder of your recordings"
    } else {
        "write the path relative to the .mliot file or to MLIOT_DATA"
    };
    IoError::new(Code::E0711, message).path(Path::new(text)).help(help)
}

fn no_member(text: &str) -> IoError {
    IoError::new(Code::E0711, format!("no file in the archive fits `{text}`"))
        .help("`tar -tf` lists what is in it; folders in it are written, too: `clips.tar.gz/wav/*.wav`")
}

fn shown(folder: &Path) -> String {
    let text = folder.display().to_string();
    if text.is_empty() { ".".to_owned() } else { text }
}

fn too_many_files(text: &str) -> IoError {
    let message = format!("more than {FILES_MAX} files fit `{text}`");
    IoError::new(Code::E0711, message).help("join them into fewer files, or write a narrower pattern")
}

fn not_a_path(text: &str, why: &str) -> IoError {
    IoError::new(Code::E0711, format!("`{text}` does not read as a path: {why}")).help("write a shorter pattern")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &[Found]) -> Vec<&str> {
        found.iter().map(|one| one.name.as_str()).collect()
    }

    fn folder(files: &[&str]) -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let place = Place::beside(folder.path());
        (folder, place)
    }

    #[test]
    fn patterns_capture_and_numbers_sort_as_numbers() {
        let (_folder, place) = folder(&["g/batch10.csv", "g/batch2.csv", "g/batch1.csv", "g/other.csv", "batch3.csv"]);
        let found = Template::parse("g/batch{batch}.csv").unwrap().find(&place).unwrap();
        assert_eq!(names(&found), ["g/batch1.csv", "g/batch2.csv", "g/batch10.csv"]);
        assert_eq!(found[2].values, [(Name::from("batch"), "10".to_owned())]);
    }

    #[test]
    fn several_patterns_take_as_little_as_they_can() {
        let (_folder, place) = folder(&["7_jack_son_12.wav"]);
        let found = Template::parse("{digit}_{speaker}_{take}.wav").unwrap().find(&place).unwrap();
        let values: Vec<&str> = found[0].values.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["7", "jack", "son_12"]);
    }

    #[test]
    fn stars_stay_in_a_folder_and_double_stars_do_not() {
        let (_folder, place) = folder(&["a/1.csv", "a/b/2.csv", "a/b/c/3.csv", "a/b/c/3.txt"]);
        let find = |text: &str| names(&Template::parse(text).unwrap().find(&place).unwrap()).join(" ");
        assert_eq!(find("a/*.csv"), "a/1.csv");
        assert_eq!(find("a/*/*.csv"), "a/b/2.csv");
        assert_eq!(find("a/**/*.csv"), "a/1.csv a/b/2.csv a/b/c/3.csv");
        assert_eq!(find("a/b/?.csv"), "a/b/2.csv");
        assert_eq!(find("./a/./b/?.csv"), "a/b/2.csv");
        assert_eq!(find("./a/1.csv"), "a/1.csv");
        let absolute = format!("{}/a/b/*.csv", place.base.display());
        assert!(find(&absolute).ends_with("a/b/2.csv"));
    }

    #[test]
    fn what_is_not_beside_the_file_is_looked_for_in_the_data_folder() {
        let (data, _) = folder(&["room/a.csv"]);
        let (base, mut place) = folder(&["b.csv"]);
        place.data = Some(data.path().to_owned());
        assert!(Template::parse("room/a.csv").unwrap().find(&place).unwrap()[0].path.starts_with(data.path()));
        let error = Template::parse("room/c.csv").unwrap().find(&place).unwrap_err();
        assert_eq!(error.code, Code::E0711);
        assert!(error.message.contains("room/c.csv") && error.message.contains(base.path().to_str().unwrap()), "{error}");
    }

    #[test]
    fn natural_order_is_an_order() {
        for (a, b) in [("a2", "a10"), ("a", "a1"), ("a09", "a10"), ("a9", "a09"), ("2a", "2b"), ("", "a")] {
            assert_eq!(natural(a, b), Ordering::Less, "{a} {b}");
            assert_eq!(natural(b, a), Ordering::Greater, "{a} {b}");
            assert_eq!(natural(a, a), Ordering::Equal);
        }
    }
}
