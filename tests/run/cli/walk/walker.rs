//! Takes the steps of a README, in a folder of its own with a copy of the chapter's file, on a free port.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::Value;

use super::super::bench::{Bench, Ended, Running, wait_for};
use super::readme::{Change, Step};
use crate::host::bench::Client;

pub struct Walker {
    bench: Bench,
    file: PathBuf,
    /// The port in the README, and ours.
    ports: (String, String),
    settled: Settled,
    running: Option<Running>,
    ended: Option<Ended>,
    /// The last answer of the server, not yet looked at.
    answer: Option<Value>,
    /// Bytes of standard error that were looked at.
    heard: usize,
}

impl Walker {
    pub fn new(chapter: &str, file: &str, port: u16) -> Walker {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let ports = (port.to_string(), free.to_string());
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(chapter).join(file)).unwrap();
        let bench = Bench::new();
        fs::create_dir_all(bench.path(chapter)).unwrap();
        let file = bench.path(chapter).join(file);
        assert!(text.contains(&ports.0), "the file serves at port {port}");
        fs::write(&file, text.replace(&ports.0, &ports.1)).unwrap();
        Walker { bench, file, ports, settled: Settled::new(), running: None, ended: None, answer: None, heard: 0 }
    }

    /// What was changed in the file, where the step is an edit.
    pub fn take(&mut self, step: &Step) -> Option<Change> {
        match step {
            Step::Command(command) => self.command(&command.replace(&self.ports.0, &self.ports.1)),
            Step::Edit(change) => return Some(self.edit(change)),
            Step::Seen(lines) => lines.iter().for_each(|line| self.see(&line.replace(&self.ports.0, &self.ports.1))),
            Step::Page(path) => assert_eq!(self.ask("GET", path, "").0, 200, "{path}"),
        }
        None
    }

    fn command(&mut self, command: &str) {
        if let Some(arguments) = command.strip_prefix("cargo run --release -- ") {
            assert!(self.running.is_none(), "one program at a time");
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            self.running = Some(Running::start(&mut self.bench.program(&arguments)));
        } else {
            let asked = Regex::new(r"^curl -X POST http://([0-9.:]+)(/\S+)\s+-d '([^']+)'$").unwrap();
            let parts = asked.captures(command).unwrap_or_else(|| panic!("nobody knows how to run `{command}`"));
            assert!(parts[1].ends_with(&self.ports.1), "{command}");
            let (status, answer) = self.ask("POST", &parts[2], &parts[3]);
            assert_eq!(status, 200, "{answer}");
            self.answer = Some(answer);
        }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        Client::to(&format!("http://127.0.0.1:{}", self.ports.1)).ask(method, path, body)
    }

    /// As most editors save: aside, then over.
    fn edit(&self, change: &Change) -> Change {
        let Change { from, to } = change;
        let text = fs::read_to_string(&self.file).unwrap();
        assert_eq!(text.matches(from).count(), 1, "`{from}` stands once in the file");
        let aside = self.file.with_extension("tmp");
        fs::write(&aside, text.replace(from, to)).unwrap();
        fs::rename(&aside, &self.file).unwrap();
        Change { from: from.clone(), to: to.clone() }
    }

    /// One line that the README shows: an answer of the server, a row, or a line of the log behind the last one.
    fn see(&mut self, line: &str) {
        if line == "^C" {
            return self.interrupt();
        }
        match serde_json::from_str::<Value>(line) {
            Ok(shown) => match self.answer.take() {
                Some(answer) => assert!(alike(&shown, &answer), "{answer} is shown as {shown}"),
                None => self.see_row(&shown),
            },
            Err(_) => self.see_words(line),
        }
    }

    fn see_row(&self, shown: &Value) {
        let running = self.running.as_ref().expect("it runs");
        wait_for(&format!("a row such as {shown}"), || {
            let rows = rows(&running.out());
            rows.iter().any(|row| alike(shown, row)).then_some(())
        });
    }

    fn see_words(&mut self, line: &str) {
        let wanted = self.settled.of(line);
        let found = match (&mut self.running, &self.ended) {
            (Some(running), _) => wait_for(&format!("`{line}` behind\n{}", running.said()), || {
                self.settled.find(&running.said()[self.heard..], &wanted)
            }),
            (None, Some(ended)) => self
                .settled
                .find(&ended.err[self.heard..], &wanted)
                .unwrap_or_else(|| panic!("no `{line}` in {}", &ended.err[self.heard..])),
            (None, None) => panic!("nothing runs that could say `{line}`"),
        };
        self.heard += found;
    }

    fn interrupt(&mut self) {
        let running = self.running.take().expect("something runs");
        running.interrupt();
        let ended = running.end();
        assert_eq!(ended.code, Some(0), "{}", ended.text());
        self.ended = Some(ended);
    }

    /// The rows that were written, and the whole log.
    pub fn done(self) -> (Vec<Value>, String) {
        let ended = self.ended.expect("the README ends what it starts");
        (rows(&ended.out), ended.err)
    }
}

fn rows(out: &str) -> Vec<Value> {
    let whole = out.rfind('\n').map_or("", |end| &out[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The same fields with values of the same kind; a shown text that is no figure is meant as it stands.
fn alike(shown: &Value, seen: &Value) -> bool {
    match (shown, seen) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|seen| alike(value, seen)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Value::String(a), Value::String(b)) => a == b || (a.starts_with("20") && b.starts_with("20")),
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

/// Lines without what differs from run to run.
struct Settled(Vec<(Regex, &'static str)>);

impl Settled {
    fn new() -> Settled {
        let varies = [
            (r"\b[0-9.]+(us|ms|s)\b", "TIME"),
            (r"\brow [0-9,]+\b", "row N"),
            (r"\b(after|screen:) [0-9]+ rows\b", "$1 N rows"),
            (r"\b[a-z_]+ occupancy-[0-9]+ answers\b", "FAMILY VERSION answers"),
            (r"\bserving `occupancy-[0-9]+`", "serving VERSION"),
            (r"\baccuracy 0\.[0-9]+\b", "accuracy A"),
            (r", [0-9]+ rows? waited\b", ""),
            (r"\b[0-9]+ parts go on\b", "N parts go on"),
        ];
        Settled(varies.map(|(pattern, word)| (Regex::new(pattern).unwrap(), word)).to_vec())
    }

    fn of(&self, line: &str) -> String {
        let settled = self.0.iter().fold(line.to_owned(), |line, (varies, word)| varies.replace_all(&line, *word).into_owned());
        settled.trim_end().to_owned()
    }

    /// How far it is to the end of the first such line.
    fn find(&self, text: &str, wanted: &str) -> Option<usize> {
        let mut end = 0;
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).find_map(|line| {
            end += line.len();
            (self.of(line) == wanted).then_some(end)
        })
    }
}
