//! Frames: how lines of the log stand in a file, so that a torn end is seen as one.
//!
//! A frame is the length of its payload (4 bytes, little endian), the first 8 bytes of the payload's BLAKE3, and the payload.

use std::io::{self, Read};

/// Longest payload, in bytes: a draw is bounded by its batch, and a graph by its file.
pub const FRAME_BYTES_MAX: usize = 1 << 30;

const HEAD: usize = 12;

/// Bytes of a frame with so many bytes of payload.
pub fn frame_bytes(payload: usize) -> u64 {
    (HEAD + payload) as u64
}

pub fn framed(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + payload.len());
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&sum(payload));
    out.extend_from_slice(payload);
    out
}

fn sum(payload: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&blake3::hash(payload).as_bytes()[..8]);
    sum
}

/// What stands next in a log.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    Frame(Vec<u8>),
    /// The file ends behind a whole frame.
    End,
    /// The last frame is not whole, or not what was written: its process ended in the middle.
    Torn,
}

pub fn next(from: &mut impl Read) -> io::Result<Next> {
    let mut head = [0; HEAD];
    match fill(from, &mut head)? {
        0 => return Ok(Next::End),
        HEAD => {}
        _ => return Ok(Next::Torn),
    }
    let (length, wanted) = head.split_at(4);
    let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
    if length > FRAME_BYTES_MAX {
        return Ok(Next::Torn);
    }
    // The length may be a lie, so room is made as bytes come.
    let mut payload = Vec::new();
    from.by_ref().take(length as u64).read_to_end(&mut payload)?;
    let whole = payload.len() == length && sum(&payload) == *wanted;
    Ok(if whole { Next::Frame(payload) } else { Next::Torn })
}

/// As many bytes as there are.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..])? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut bytes: &[u8]) -> (Vec<Vec<u8>>, Next) {
        let mut frames = Vec::new();
        loop {
            match next(&mut bytes).unwrap() {
                Next::Frame(frame) => frames.push(frame),
                end => return (frames, end),
            }
        }
    }

    #[test]
    fn a_log_that_is_torn_at_any_byte_gives_the_whole_frames_before_it() {
        let written = [b"one".to_vec(), Vec::new(), vec![7; 300], b"last".to_vec()];
        let bytes: Vec<u8> = written.iter().flat_map(|payload| framed(payload)).collect();
        let ends: Vec<usize> = written
            .iter()
            .scan(0, |at, payload| {
                *at += HEAD + payload.len();
                Some(*at)
            })
            .collect();
        for cut in 0..=bytes.len() {
            let (frames, end) = all(&bytes[..cut]);
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(frames, written[..whole], "cut at {cut}");
            let between = cut == 0 || ends.contains(&cut);
            assert_eq!(end, if between { Next::End } else { Next::Torn }, "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_bit_ends_the_log_there() {
        let written = [b"one".to_vec(), b"two".to_vec()];
        let bytes: Vec<u8> = written.iter().flat_map(|payload| framed(payload)).collect();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            let (frames, _) = all(&flipped);
            let before = usize::from(at >= HEAD + 3);
            assert_eq!(frames, written[..before], "flipped at {at}");
        }
    }
}
