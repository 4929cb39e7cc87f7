//! Small files of the form, whole and wrong, and real ones where they are.

use std::fs;
use std::path::Path;

use crate::diag::Code;
use crate::io::testing::{Source, column};
use crate::ir::{FileFormat, Type};

fn idx(element: u8, sizes: &[u32], numbers: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, element, sizes.len() as u8];
    sizes.iter().for_each(|size| out.extend(size.to_be_bytes()));
    out.extend(numbers);
    out
}

fn source(labels: Option<&str>, shape: &[u32]) -> Source {
    let columns = vec![column("data", Type::Tensor(shape.to_vec()), false), column("labels", Type::Int, false)];
    let labels = labels.map(Into::into);
    Source::file("data.idx", FileFormat::Idx { labels }, columns)
}

fn folder(data: &[u8], labels: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("data.idx"), data).unwrap();
    fs::write(folder.path().join("labels.idx"), labels).unwrap();
    folder
}

#[test]
fn rows_are_zipped_with_their_labels() {
    let folder = folder(&idx(8, &[3, 1, 2], &[0, 255, 51, 102, 0, 0]), &idx(8, &[3], &[7, 0, 9]));
    for shape in [&[1, 2][..], &[1, 2, 1]] {
        let all = source(Some("labels.idx"), shape).read(folder.path(), 2);
        assert_eq!(all.rows, [r#"[0.0,1.0],7"#, r#"[0.2,0.4],0"#, r#"[0.0,0.0],9"#,]);
    }
}

#[test]
fn numbers_of_other_widths_are_as_they_are() {
    let folder = folder(&idx(0x0b, &[1, 2], &[0xff, 0xfe, 1, 0]), &idx(0x0c, &[1], &[0, 0, 1, 0]));
    assert_eq!(source(Some("labels.idx"), &[2]).read(folder.path(), 9).rows, [r#"[-2.0,256.0],256"#]);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let data = idx(8, &[2, 2], &[1, 2, 3, 4]);
    let refused = |data: &[u8], labels: &[u8], named: Option<&str>, shape: &[u32]| {
        source(named, shape).refused(folder(data, labels).path())
    };
    let labels = idx(8, &[2], &[1, 2]);
    let other = refused(&data, &idx(8, &[3], &[1, 2, 3]), Some("labels.idx"), &[2]);
    assert!(
        other.code == Code::E0715 && other.message.contains("2 rows and") && other.message.contains("3"),
        "{}",
        other.message
    );
    let pairs = refused(&data, &idx(8, &[2, 2], &[1; 4]), Some("labels.idx"), &[2]);
    assert!(pairs.message.contains("more than one number a row"), "{}", pairs.message);
    let shape = refused(&data, &labels, Some("labels.idx"), &[3]);
    assert!(shape.message.contains("is tensor[2], and `data` is declared as tensor[3]"), "{}", shape.message);
    assert_eq!(refused(b"PAR1", &labels, Some("labels.idx"), &[2]).code, Code::E0715);
    assert_eq!(refused(&data, &labels, Some("no.idx"), &[2]).code, Code::E0711);
    // Without labels there is no such column.
    assert_eq!(refused(&data, &labels, None, &[2]).code, Code::E0714);
}

#[test]
fn fashion_mnist_is_read() {
    let Some(data) = std::env::var_os("MLIOT_DATA").filter(|data| Path::new(data).join("fashion-mnist").is_dir()) else {
        eprintln!("skipped: MLIOT_DATA has no fashion-mnist");
        return;
    };
    let columns = vec![column("data", Type::Tensor(vec![28, 28, 1]), false), column("labels", Type::Int, false)];
    let labels = Some("fashion-mnist/t10k-labels-idx1-ubyte.gz".into());
    let source = Source::file("fashion-mnist/t10k-images-idx3-ubyte.gz", FileFormat::Idx { labels }, columns);
    let all = source.read(Path::new(&data), 2_000);
    assert_eq!((all.rows.len(), all.bad.len()), (10_000, 0));
    // The first is an ankle boot.
    assert!(all.rows[0].ends_with(",9"), "{}", all.rows[0]);
}
