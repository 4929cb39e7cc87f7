//! One frame of a journal: records that came in together, as they came, with a checksum over all of it.

use std::ops::Range;

use crate::base::Time;

/// Begins every frame, so that the next whole one can be found behind a damaged one; a digit that says how follows.
const MAGIC: [u8; 3] = *b"mlJ";
/// Records without a key.
const PLAIN: u8 = b'1';
/// Records with the key of the request that brought them.
const KEYED: u8 = b'2';

/// Magic, length of the body, checksum.
pub(super) const HEAD_BYTES: usize = 4 + 4 + SUM_BYTES;

/// Bytes of the checksum: a prefix of the hash of length and body.
const SUM_BYTES: usize = 16;

/// Bytes that the body of one frame may have: more than any body of a request, and than any block of lines.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Sequence number, arrival, length of the header, count of the records.
const FIXED_BYTES: usize = 8 + 8 + 4 + 4;

/// A prefix of the hash of the key, and of the hash of the body.
const KEY_BYTES: usize = 16 + 8;

/// By which a client says that a request is the one that it has sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::io) struct RequestKey {
    name: [u8; 16],
    body: [u8; 8],
}

impl RequestKey {
    pub fn of(name: &[u8], body: &[u8]) -> RequestKey {
        RequestKey { name: prefix(&blake3::hash(name)), body: prefix(&blake3::hash(body)) }
    }

    /// Without what it came with.
    pub fn name(&self) -> [u8; 16] {
        self.name
    }

    fn read(bytes: &[u8]) -> Option<RequestKey> {
        let (name, body) = bytes.split_at_checked(16)?;
        Some(RequestKey { name: name.try_into().ok()?, body: body.try_into().ok()? })
    }
}

fn prefix<const N: usize>(hash: &blake3::Hash) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&hash.as_bytes()[..N]);
    out
}

/// Records that came in together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::io) struct Frame {
    /// The sequence number of the first record.
    pub first: u64,
    pub arrived: Time,
    /// The record that names the fields of these; empty where records name their own.
    pub header: Vec<u8>,
    /// Of the request that brought them, where it had one.
    pub key: Option<RequestKey>,
    pub records: Records,
}

/// Records as they came, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::io) struct Records {
    pub text: Vec<u8>,
    /// Where each record ends in the text.
    pub ends: Vec<u32>,
}

impl Records {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn push(&mut self, record: &[u8]) {
        self.text.extend_from_slice(record);
        self.ends.push(self.text.len() as u32);
    }

    pub fn get(&self, nth: usize) -> &[u8] {
        let from = if nth == 0 { 0 } else { self.ends[nth - 1] as usize };
        &self.text[from..self.ends[nth] as usize]
    }

    /// Bytes of a frame of these records, as it is written.
    pub fn frame_bytes(&self, header: &[u8], has_key: bool) -> usize {
        let key = if has_key { KEY_BYTES } else { 0 };
        HEAD_BYTES + FIXED_BYTES + key + header.len() + 4 * self.ends.len() + self.text.len()
    }
}

impl Frame {
    /// The sequence numbers of its records.
    pub fn span(&self) -> Range<u64> {
        self.first..self.first + self.records.len() as u64
    }

    /// Bytes of the frame as it is written.
    pub fn bytes(&self) -> usize {
        self.records.frame_bytes(&self.header, self.key.is_some())
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        let body = self.bytes() - HEAD_BYTES;
        out.reserve(self.bytes());
        out.extend(MAGIC);
        out.push(if self.key.is_some() { KEYED } else { PLAIN });
        out.extend((body as u32).to_le_bytes());
        let sum_at = out.len();
        out.extend([0; SUM_BYTES]);
        out.extend(self.first.to_le_bytes());
        out.extend(self.arrived.0.to_le_bytes());
        out.extend((self.header.len() as u32).to_le_bytes());
        out.extend((self.records.len() as u32).to_le_bytes());
        if let Some(RequestKey { name, body }) = &self.key {
            out.extend(name);
            out.extend(body);
        }
        out.extend(&self.header);
        self.records.ends.iter().for_each(|end| out.extend(end.to_le_bytes()));
        out.extend(&self.records.text);
        let sum = checksum(&out[sum_at + SUM_BYTES..]);
        out[sum_at..sum_at + SUM_BYTES].copy_from_slice(&sum);
    }

    /// The frame that begins with these bytes, and how many are its own; none where no whole frame does.
    pub fn decode(bytes: &[u8]) -> Option<(Frame, usize)> {
        let body = body_bytes(bytes)?;
        let whole = bytes.get(HEAD_BYTES..HEAD_BYTES + body)?;
        if bytes[8..HEAD_BYTES] != checksum(whole) {
            return None;
        }
        Some((Frame::parse(whole, bytes[MAGIC.len()] == KEYED)?, HEAD_BYTES + body))
    }

    fn parse(body: &[u8], has_key: bool) -> Option<Frame> {
        let (fixed, rest) = body.split_at_checked(FIXED_BYTES)?;
        let (key, rest) = rest.split_at_checked(if has_key { KEY_BYTES } else { 0 })?;
        let key = RequestKey::read(key).filter(|_| has_key);
        let (header_bytes, count) = (u32_at(fixed, 16)? as usize, u32_at(fixed, 20)? as usize);
        let (header, rest) = rest.split_at_checked(header_bytes)?;
        let (ends, text) = rest.split_at_checked(count.checked_mul(4)?)?;
        let ends: Vec<u32> = ends.chunks_exact(4).filter_map(|end| u32_at(end, 0)).collect();
        if !ends.is_sorted() || ends.last().copied().unwrap_or(0) as usize != text.len() {
            return None;
        }
        let (first, arrived) = (u64_at(fixed, 0)?, Time(u64_at(fixed, 8)? as i64));
        Some(Frame { first, arrived, header: header.to_vec(), key, records: Records { text: text.to_vec(), ends } })
    }
}

/// The length of the body of a frame that begins here; none where the first bytes say that none does.
pub(super) fn body_bytes(bytes: &[u8]) -> Option<usize> {
    if bytes.get(..3)? != MAGIC || ![PLAIN, KEYED].contains(bytes.get(3)?) {
        return None;
    }
    let body = u32_at(bytes, 4)? as usize;
    (FIXED_BYTES..=BODY_BYTES_MAX).contains(&body).then_some(body)
}

/// A key, the first record that came with it, and how many did.
pub(super) type Keyed = (RequestKey, u64, u32);

/// What the first bytes of a frame say of it, unproven: the bytes of the frame, its key, its first record and how many it has.
pub(super) fn told(bytes: &[u8]) -> Option<(usize, Option<Keyed>)> {
    let whole = HEAD_BYTES + body_bytes(bytes)?;
    let fixed = bytes.get(HEAD_BYTES..HEAD_BYTES + FIXED_BYTES)?;
    if bytes[MAGIC.len()] != KEYED {
        return Some((whole, None));
    }
    let key = RequestKey::read(bytes.get(HEAD_BYTES + FIXED_BYTES..TOLD_BYTES)?)?;
    Some((whole, Some((key, u64_at(fixed, 0)?, u32_at(fixed, 20)?))))
}

/// So many of its first bytes tell it.
pub(super) const TOLD_BYTES: usize = HEAD_BYTES + FIXED_BYTES + KEY_BYTES;

/// The first whole frame that begins at `from` or behind it, and where.
pub(super) fn next_frame(bytes: &[u8], from: usize) -> Option<(usize, Frame, usize)> {
    let mut at = from;
    while let Some(found) = bytes.get(at..)?.windows(MAGIC.len()).position(|window| window == MAGIC) {
        at += found;
        if let Some((frame, length)) = Frame::decode(&bytes[at..]) {
            return Some((at, frame, length));
        }
        at += 1;
    }
    None
}

fn checksum(body: &[u8]) -> [u8; SUM_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(body.len() as u32).to_le_bytes()).update(body);
    let mut sum = [0; SUM_BYTES];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..SUM_BYTES]);
    sum
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn any_frame()(
            first in any::<u64>().prop_map(|first| first >> 1),
            arrived in any::<i64>(),
            header in prop::collection::vec(any::<u8>(), 0..20),
            key in prop::option::of(prop::collection::vec(any::<u8>(), 0..9)),
            records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
        ) -> Frame {
            let mut all = Records::default();
            records.iter().for_each(|record| all.push(record));
            let key = key.map(|key| RequestKey::of(&key, b"body"));
            Frame { first, arrived: Time(arrived), header, key, records: all }
        }
    }

    fn encoded(frame: &Frame) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(frame in any_frame(), more in prop::collection::vec(any::<u8>(), 0..50)) {
            let mut bytes = encoded(&frame);
            prop_assert_eq!(bytes.len(), frame.bytes());
            bytes.extend(more);
            prop_assert_eq!(Frame::decode(&bytes), Some((frame.clone(), frame.bytes())));
        }

        #[test]
        fn a_frame_torn_anywhere_is_none(frame in any_frame()) {
            let bytes = encoded(&frame);
            for length in 0..bytes.len() {
                prop_assert_eq!(Frame::decode(&bytes[..length]), None);
            }
        }

        #[test]
        fn a_changed_byte_is_noticed(frame in any_frame(), at in any::<prop::sample::Index>(), by in 1u8..) {
            let mut bytes = encoded(&frame);
            let at = at.index(bytes.len());
            bytes[at] = bytes[at].wrapping_add(by);
            prop_assert_eq!(Frame::decode(&bytes), None);
        }

        #[test]
        fn the_next_frame_is_found_behind_anything(
            junk in prop::collection::vec(prop::sample::select(vec![b'm', b'l', b'J', b'1', 0, 9]), 0..60),
            frame in any_frame(),
        ) {
            let bytes = [junk.clone(), encoded(&frame)].concat();
            let (at, found, length) = next_frame(&bytes, 0).unwrap();
            prop_assert_eq!((at, found, length), (junk.len(), frame.clone(), frame.bytes()));
            prop_assert!(next_frame(&bytes, junk.len() + 1).is_none_or(|(at, ..)| at > junk.len()));
        }
    }
}
