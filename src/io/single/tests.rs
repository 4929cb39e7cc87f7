//! Sounds and pictures that the test writes itself, whole and broken.

use std::fs;
use std::path::Path;

use hound::{SampleFormat, WavSpec, WavWriter};
use image::{GrayImage, Luma, Rgb, RgbImage};

use crate::diag::Code;
use crate::io::testing::{Source, column};
use crate::ir::{FileFormat, Origin, Type};

fn sound(path: &Path, rate: u32, channels: u16, samples: &[i16]) {
    let spec = WavSpec { channels, sample_rate: rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut writer = WavWriter::create(path, spec).unwrap();
    samples.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
    writer.finalize().unwrap();
}

fn patterned(name: &str, ty: Type) -> crate::ir::SourceColumn {
    crate::ir::SourceColumn { origin: Origin::Pattern(name.into()), ..column(name, ty, false) }
}

#[test]
fn a_sound_is_one_row_with_the_patterns_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    sound(&folder.path().join("7_ann_0.wav"), 8_000, 1, &[0, 16_384, -32_768]);
    sound(&folder.path().join("10_bob_0.wav"), 8_000, 2, &[16_384, 0, 8_192, 8_192]);
    let columns = vec![
        patterned("digit", Type::Int),
        patterned("who", Type::Text),
        column("signal", Type::Signal(8_000), false),
        column("channels", Type::Int, false),
        column("file", Type::Text, false),
    ];
    let all = Source::file("{digit}_{who}_*.wav", FileFormat::Wav, columns).read(folder.path(), 9);
    assert_eq!(all.rows, [r#"7,ann,[0.0,0.5,-1.0],1,7_ann_0.wav"#, r#"10,bob,[0.25,0.25],2,10_bob_0.wav"#,]);
    assert_eq!(all.bad, []);
}

#[test]
fn sounds_of_any_width_are_within_one() {
    let folder = tempfile::tempdir().unwrap();
    for (bits, format) in [(8, SampleFormat::Int), (24, SampleFormat::Int), (32, SampleFormat::Int), (32, SampleFormat::Float)]
    {
        let path = folder.path().join("a.wav");
        let spec = WavSpec { channels: 1, sample_rate: 100, bits_per_sample: bits, sample_format: format };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        match format {
            SampleFormat::Int => {
                let least = -(1i64 << (bits - 1));
                [least / 2, 0, least].into_iter().for_each(|sample| writer.write_sample(sample as i32).unwrap());
            }
            SampleFormat::Float => [-0.5f32, 0.0, -1.0].into_iter().for_each(|sample| writer.write_sample(sample).unwrap()),
        }
        writer.finalize().unwrap();
        let all =
            Source::file("a.wav", FileFormat::Wav, vec![column("signal", Type::Signal(100), false)]).read(folder.path(), 9);
        assert_eq!(all.rows, [r#"[-0.5,0.0,-1.0]"#], "{bits} bits");
    }
}

#[test]
fn a_file_that_is_broken_or_has_another_rate_is_named_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    sound(&folder.path().join("a.wav"), 8_000, 1, &[1]);
    sound(&folder.path().join("b.wav"), 16_000, 1, &[1]);
    fs::write(folder.path().join("c.wav"), "no sound").unwrap();
    let columns = vec![column("signal", Type::Signal(8_000), false)];
    let all = Source::file("*.wav", FileFormat::Wav, columns).read(folder.path(), 9);
    assert_eq!(all.rows.len(), 1);
    assert_eq!(all.bad.len(), 2, "{:?}", all.bad);
    assert_eq!(all.bad[0], ("it has 16000 samples a second, and 8000 are declared".to_owned(), "b.wav:1".to_owned()));
    assert!(all.bad[1].0.starts_with("no WAV that can be read") && all.bad[1].1 == "c.wav:1", "{:?}", all.bad);
}

#[test]
fn a_column_that_no_file_of_sounds_has_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    sound(&folder.path().join("a.wav"), 8_000, 1, &[1]);
    let source = Source::file("a.wav", FileFormat::Wav, vec![column("sound", Type::Signal(8_000), false)]);
    let error = source.refused(folder.path());
    assert_eq!(error.code, Code::E0714);
    assert!(error.help.unwrap().contains("\"signal\""));
}

#[test]
fn pictures_have_their_channels_last() {
    let folder = tempfile::tempdir().unwrap();
    let colour = RgbImage::from_fn(2, 1, |x, _| if x == 0 { Rgb([255, 0, 0]) } else { Rgb([0, 255, 51]) });
    colour.save(folder.path().join("red.png")).unwrap();
    GrayImage::from_fn(2, 1, |x, _| Luma([if x == 0 { 0 } else { 255 }])).save(folder.path().join("shade.png")).unwrap();
    let read = |shape: &[u32]| {
        let columns = vec![column("image", Type::Tensor(shape.to_vec()), false)];
        Source::file("*.png", FileFormat::Images, columns).read(folder.path(), 9)
    };
    let colours = read(&[1, 2, 3]);
    assert_eq!(colours.rows[0], r#"[1.0,0.0,0.0,0.0,1.0,0.2]"#);
    assert_eq!(colours.rows[1], r#"[0.0,0.0,0.0,1.0,1.0,1.0]"#);
    assert_eq!(read(&[1, 2]).rows[1], r#"[0.0,1.0]"#);
    assert_eq!(read(&[1, 2, 1]).rows[1], r#"[0.0,1.0]"#);
    let other = read(&[2, 2, 3]);
    assert!(
        other.rows.is_empty() && other.bad.len() == 2 && other.bad[0].0.contains("1 high and 2 wide, and 2 by 2"),
        "{:?}",
        other.bad
    );
}

#[test]
fn members_of_an_archive_are_files() {
    let folder = tempfile::tempdir().unwrap();
    sound(&folder.path().join("1_a.wav"), 8_000, 1, &[1]);
    sound(&folder.path().join("2_b.wav"), 8_000, 1, &[2]);
    let packed = flate2::write::GzEncoder::new(
        fs::File::create(folder.path().join("clips.tar.gz")).unwrap(),
        flate2::Compression::fast(),
    );
    let mut archive = tar::Builder::new(packed);
    for name in ["2_b.wav", "1_a.wav"] {
        archive.append_path_with_name(folder.path().join(name), format!("in/{name}")).unwrap();
    }
    let text = b"n,x\n1,2\n";
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_cksum();
    archive.append_data(&mut header, "t/table.csv", text.as_slice()).unwrap();
    archive.into_inner().unwrap().finish().unwrap();
    let columns = || vec![patterned("n", Type::Int), column("file", Type::Text, false)];
    let all = Source::file("clips.tar.gz/in/{n}_*.wav", FileFormat::Wav, columns()).read(folder.path(), 9);
    assert_eq!(all.rows, [r#"1,clips.tar.gz/in/1_a.wav"#, r#"2,clips.tar.gz/in/2_b.wav"#,]);
    let table = Source::csv("clips.tar.gz/t/*.csv", vec![column("n", Type::Int, false), column("x", Type::Int, false)]);
    assert_eq!(table.read(folder.path(), 9).rows, [r#"1,2"#]);
    let none = Source::file("clips.tar.gz/*.wav", FileFormat::Wav, columns()).refused(folder.path());
    assert_eq!(none.code, Code::E0711);
    assert!(none.message.contains("no file in the archive fits"), "{}", none.message);
}
