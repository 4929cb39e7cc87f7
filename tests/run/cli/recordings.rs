//! Sounds, pictures, arrays and packed messages through the whole program; real recordings where they are.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use super::bench::{Bench, Running, data, wait_for};

fn lines(bench: &Bench, name: &str) -> Vec<Value> {
    let text = String::from_utf8(bench.read(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The folder of real recordings, if it has this one.
fn recording(folder: &str) -> Option<std::path::PathBuf> {
    let data = data()?;
    let there = data.join(folder).is_dir();
    if !there {
        eprintln!("skipped: {} has no {folder}", data.display());
    }
    there.then_some(data)
}

fn replay(bench: &Bench, data: Option<&Path>, text: &str) -> String {
    std::fs::write(bench.path("p.mliot"), text).unwrap();
    let ended = match data {
        Some(data) => bench.run_with(data, &["replay", "p.mliot"]),
        None => bench.run(&["replay", "p.mliot"]),
    };
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    ended.text()
}

const DIGITS: &str = r#"
source clips {
  columns { digit: int; take: int; signal: signal<8kHz> }
  recorded wav("spoken-digits/fsdd_0-14.tar.gz/{digit}_george_{take}.wav")
  time none
}
stream heard = clips
  | set { said = match digit { 0 -> "zero"; 1 -> "one"; 2 -> "two"; 3 -> "three"; 4 -> "four"; 5 -> "five"; 6 -> "six"; 7 -> "seven"; 8 -> "eight"; else -> "nine" } }
  | set { shape = mfcc(signal, 13, 4); loud = rms(signal); tone = dominant_frequency(signal); high = band_power(signal, 2000..4000Hz) }
task digit = classify said from heard { features [shape, loud, tone, high]; models [logistic]; hold_out where take < 3; policy quick }
policy quick { maximize accuracy; search 1 trials, 60s; validate random 20% }
stream now = heard | predict digit as guess
sink out = now | where take < 3 | select [said, guess, tone] | to jsonl("digits.jsonl")
"#;

#[test]
fn spoken_digits_are_told_apart() {
    let Some(data) = recording("spoken-digits") else { return };
    let bench = Bench::new();
    replay(&bench, Some(&data), DIGITS);
    let rows = lines(&bench, "digits.jsonl");
    assert_eq!(rows.len(), 30);
    assert!(rows.iter().all(|row| row["tone"].as_f64().is_some_and(|hz| (20.0..4000.0).contains(&hz))), "{:?}", rows[0]);
    let right = rows.iter().filter(|row| row["said"] == row["guess"]).count();
    assert!(right >= 24, "{right} of 30 are right");
}

const BEARING: &str = r#"
source bearing {
  columns { recording: text; fault: text; drive_end: float; sample: int }
  recorded parquet("cwru-bearing/cwru_0hp.parquet")
  time none
}
stream windows = bearing | where sample < 40960 | window 4096 rows by recording {
  fault = last(fault); k = kurtosis(drive_end); c = crest(drive_end); e = entropy(drive_end)
  low = band_power(drive_end, 0..1000Hz, rate: 12kHz); high = band_power(drive_end, 2000..4000Hz, rate: 12kHz)
  centre = spectral_centroid(drive_end, rate: 12kHz)
}
sink out = windows | to jsonl("windows.jsonl")
"#;

#[test]
fn a_broken_bearing_is_heard_in_its_vibration() {
    let Some(data) = recording("cwru-bearing") else { return };
    let bench = Bench::new();
    replay(&bench, Some(&data), BEARING);
    let rows = lines(&bench, "windows.jsonl");
    assert_eq!(rows.len(), 100);
    let mean = |name: &str, normal: bool| {
        let of = rows.iter().filter(|row| (row["fault"] == json!("normal")) == normal).map(|row| row[name].as_f64().unwrap());
        let values: Vec<f64> = of.collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    // Blows make a spectrum higher and its tails heavier.
    assert!(mean("high", false) > 5.0 * mean("high", true));
    assert!(mean("centre", false) > mean("centre", true));
    assert!(mean("k", false) > mean("k", true) + 0.5);
}

#[test]
fn fashion_and_jpeg_pictures_are_tensors() {
    let Some(data) = recording("fashion-mnist").filter(|_| recording("cifar10-jpeg").is_some()) else { return };
    let bench = Bench::new();
    let text = r#"
source clothes {
  columns { data: tensor[28, 28]; labels: int }
  recorded idx("fashion-mnist/{part}-images-idx3-ubyte.gz", labels: "fashion-mnist/{part}-labels-idx1-ubyte.gz")
  time none
}
source things {
  columns { jpeg: tensor[32, 32, 3]; label: int }
  recorded parquet("cifar10-jpeg/test.parquet")
  time none
}
sink a = clothes | limit 20 | set { ink = energy(data) } | drop [data] | to jsonl("clothes.jsonl")
sink b = things | limit 20 | set { light = energy(jpeg) } | to jsonl("things.jsonl")
"#;
    // A column for the part of the set that a file is.
    let text = text.replace("columns { data:", "columns { part: text; data:");
    replay(&bench, Some(&data), &text);
    let clothes = lines(&bench, "clothes.jsonl");
    assert_eq!((clothes.len(), &clothes[0]["part"], &clothes[0]["labels"]), (20, &json!("t10k"), &json!(9)));
    assert!(clothes.iter().all(|row| row["ink"].as_f64().is_some_and(|ink| (1.0..784.0).contains(&ink))));
    let things = lines(&bench, "things.jsonl");
    assert!(things.iter().all(|row| row["jpeg"].as_array().is_some_and(|image| image.len() == 3072)), "{}", things.len());
}

const LAB: &str = r#"
source lab {
  columns {
    topic:   text
    node:    text?  from "$.payload['node-id']"
    pir:     text?  from "$.payload.sensor"
    at:      time   from "receivedTimestamp"
  }
  recorded json("mqtt-lab/sample-lab-data.json")
  time at
}
sink out = lab | to jsonl("lab.jsonl")
"#;

#[test]
fn fields_of_nested_messages_have_a_path() {
    let Some(data) = recording("mqtt-lab") else { return };
    let bench = Bench::new();
    replay(&bench, Some(&data), LAB);
    let rows = lines(&bench, "lab.jsonl");
    assert!(rows.len() >= 100, "{}", rows.len());
    let motion: Vec<&Value> = rows.iter().filter(|row| row["topic"] == json!("motion-readings")).collect();
    assert!(motion.iter().all(|row| row["pir"] == json!("pir-motion") && row["node"].is_string()), "{:?}", motion.first());
}

const NESTED: &str = r#"
source s {
  columns { x: float from "$.acc[0]"; z: float? from "$.acc[2].z"; acc: list<float>? from "$.raw" }
  recorded FORMAT
  time none
}
sink out = s | to jsonl("out.jsonl")
"#;

#[test]
fn a_path_leads_through_objects_and_lists_in_both_formats() {
    let rows = [r#"{"acc": [1, 2, {"z": 3}], "raw": [0.5, 1]}"#, r#"{"acc": [4], "other": 1}"#];
    let bench = Bench::new().with("a.jsonl", rows.join("\n")).with("a.json", format!("[{}]", rows.join(",")));
    for format in ["jsonl(\"a.jsonl\")", "json(\"a.json\")"] {
        replay(&bench, None, &NESTED.replace("FORMAT", format));
        let wanted = [json!({"x": 1.0, "z": 3.0, "acc": [0.5, 1.0]}), json!({"x": 4.0, "z": null, "acc": null})];
        assert_eq!(lines(&bench, "out.jsonl"), wanted, "{format}");
    }
}

const BROKEN: &str = r#"
source clips {
  columns { n: int; signal: signal<8kHz> }
  recorded wav("clips/{n}.wav")
  time none
}
sink out = clips | set { loud = rms(signal) } | drop [signal] | to jsonl("out.jsonl")
"#;

/// A WAV of one channel with 16 bits a sample.
fn wav(rate: u32, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut out = b"RIFF".to_vec();
    out.extend((36 + data.len() as u32).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend(rate.to_le_bytes());
    out.extend((2 * rate).to_le_bytes());
    out.extend(b"\x02\0\x10\0data");
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out
}

#[test]
fn files_that_cannot_be_read_are_counted_and_the_rest_goes_on() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("clips")).unwrap();
    let bench = bench
        .with("clips/1.wav", wav(8_000, &[16_384, -16_384]))
        .with("clips/2.wav", &wav(8_000, &[1, 2, 3])[..47])
        .with("clips/3.wav", wav(44_100, &[1]))
        .with("clips/x.wav", wav(8_000, &[1]))
        .with("clips/10.wav", wav(8_000, &[8_192]));
    let said = replay(&bench, None, BROKEN);
    assert_eq!(lines(&bench, "out.jsonl"), [json!({"n": 1, "loud": 0.5}), json!({"n": 10, "loud": 0.25})]);
    assert!(said.contains("2 bad") && said.contains("clips/2.wav:1: no WAV"), "{said}");
    assert!(said.contains("clips/3.wav:1: it has 44100 samples a second, and 8000 are declared"), "{said}");
}

const PACKED: &str = r#"
source s {
  columns { n: int; acc: tensor[2] }
  live stdin(format: msgpack)
}
sink out = s | to jsonl("out.jsonl")
"#;

#[test]
fn packed_messages_come_through_the_standard_input() {
    let bench = Bench::new().with("p.mliot", PACKED);
    let mut running = Running::start(bench.program(&["run", "p.mliot"]).stdin(Stdio::piped()));
    let mut input = running.take_input();
    // {"n": 1, "acc": [0.5, 2]} and {"n": 2, "acc": [1, null]}
    input.write_all(b"\x82\xa1n\x01\xa3acc\x92\xca\x3f\0\0\0\x02").unwrap();
    input.write_all(b"\x82\xa1n\x02\xa3acc\x92\x01\xc0").unwrap();
    drop(input);
    wait_for("the row", || std::fs::read_to_string(bench.path("out.jsonl")).ok().filter(|text| text.ends_with('\n')));
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    assert_eq!(lines(&bench, "out.jsonl"), [json!({"n": 1, "acc": [0.5, 2.0]})]);
    // The second row holds a null where none may be.
    assert!(ended.text().contains("stopped after 1 rows"), "{}", ended.text());
}
