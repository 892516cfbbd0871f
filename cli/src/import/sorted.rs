//! Hits in order of visits, whatever order they came in and however many they are: what memory does not hold is in a
//! file that nobody else can open and that is gone with its process.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use super::hit::Hit;

/// How many bytes of hits are collected in memory.
const ROOM: usize = 64 << 20;
/// How much of each run is read at once.
const CHUNK: u64 = 256 << 10;

/// Collects hits.
#[derive(Debug)]
pub struct Sorter {
    room: usize,
    bytes: usize,
    hits: Vec<Hit>,
    spilled: Option<BufWriter<File>>,
    runs: Vec<Range<u64>>,
}

/// Hits by visitor, session, time and rank; of equal ones the first that was added comes first.
#[derive(Debug)]
pub struct Sorted {
    runs: Vec<Run>,
    next: BinaryHeap<Reverse<Next>>,
}

impl Sorter {
    /// With none yet.
    pub fn new() -> Self {
        Sorter::with_room(ROOM)
    }

    fn with_room(room: usize) -> Self {
        Sorter { room, bytes: 0, hits: Vec::new(), spilled: None, runs: Vec::new() }
    }

    /// Adds a hit.
    pub fn add(&mut self, hit: Hit) -> io::Result<()> {
        self.bytes += hit.size();
        self.hits.push(hit);
        if self.bytes > self.room { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.spilled {
            Some(file) => file,
            None => self.spilled.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        let start = self.runs.last().map_or(0, |run| run.end);
        let mut end = start;
        self.hits.sort_by(|one, other| one.order().cmp(&other.order()));
        for hit in self.hits.drain(..) {
            let packed = postcard::to_stdvec(&hit).map_err(io::Error::other)?;
            let length = u32::try_from(packed.len()).map_err(io::Error::other)?;
            file.write_all(&length.to_le_bytes())?;
            file.write_all(&packed)?;
            end += u64::from(length) + LENGTH as u64;
        }
        self.runs.push(start..end);
        self.bytes = 0;
        Ok(())
    }

    /// All of them, in order.
    pub fn sorted(mut self) -> io::Result<Sorted> {
        let mut runs = Vec::new();
        if let Some(file) = self.spilled.take() {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            for range in self.runs {
                runs.push(Run::Spilled { file: file.try_clone()?, range, buffer: io::Cursor::default() });
            }
        }
        self.hits.sort_by(|one, other| one.order().cmp(&other.order()));
        runs.push(Run::Held(self.hits.into_iter()));
        let mut sorted = Sorted { runs, next: BinaryHeap::new() };
        for run in 0..sorted.runs.len() {
            sorted.advance(run)?;
        }
        Ok(sorted)
    }
}

impl Sorted {
    fn advance(&mut self, run: usize) -> io::Result<()> {
        let hit = self.runs.get_mut(run).map_or(Ok(None), Run::next)?;
        self.next.extend(hit.map(|hit| Reverse(Next { hit, run })));
        Ok(())
    }
}

impl Iterator for Sorted {
    type Item = io::Result<Hit>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse(Next { hit, run }) = self.next.pop()?;
        Some(self.advance(run).map(|()| hit))
    }
}

/// The next hit of a run.
#[derive(Debug)]
struct Next {
    hit: Hit,
    run: usize,
}

impl Ord for Next {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.hit.order(), self.run).cmp(&(other.hit.order(), other.run))
    }
}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Next {}

/// Bytes before each hit, which say how long it is.
const LENGTH: usize = 4;

/// Hits that are sorted.
#[derive(Debug)]
enum Run {
    Held(std::vec::IntoIter<Hit>),
    /// All share one place in one file, so each read says where.
    Spilled {
        file: File,
        range: Range<u64>,
        buffer: io::Cursor<Vec<u8>>,
    },
}

impl Run {
    fn next(&mut self) -> io::Result<Option<Hit>> {
        match self {
            Run::Held(hits) => Ok(hits.next()),
            Run::Spilled { file, range, buffer } => {
                let Some(length) = take(file, range, buffer, LENGTH)? else { return Ok(None) };
                let length = length.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
                let packed = take(file, range, buffer, length)?.ok_or(io::ErrorKind::UnexpectedEof)?;
                postcard::from_bytes(&packed).map(Some).map_err(io::Error::other)
            }
        }
    }
}

/// The next bytes of a run, or none at its end.
fn take(
    file: &mut File,
    range: &mut Range<u64>,
    buffer: &mut io::Cursor<Vec<u8>>,
    length: usize,
) -> io::Result<Option<Vec<u8>>> {
    let held = buffer.get_ref().len() as u64 - buffer.position();
    if held < length as u64 {
        let mut rest = Vec::new();
        buffer.read_to_end(&mut rest)?;
        let wanted = CHUNK.max(length as u64).min(range.end - range.start);
        file.seek(SeekFrom::Start(range.start))?;
        file.take(wanted).read_to_end(&mut rest)?;
        range.start += wanted;
        *buffer = io::Cursor::new(rest);
    }
    let mut bytes = vec![0; length];
    match buffer.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_order_is_the_same_however_much_fits_into_memory() {
        let mut random = fastrand::Rng::with_seed(7);
        let hits: Vec<Hit> = (0..3_000)
            .map(|line| {
                let visitor = format!("v{}", random.u8(0..20));
                let session = format!("{visitor}_{}", random.u8(0..3));
                let mut hit = Hit::new(visitor, session, i64::from(random.u8(0..50)) * 1_000_000, line);
                hit.rank = i64::from(random.u8(0..3));
                hit.event.data = (line % 3 == 0).then(|| "x".repeat(random.usize(0..2_000)));
                hit
            })
            .collect();
        let mut expected = hits.clone();
        expected.sort_by_key(|hit| (hit.visitor.clone(), hit.session.clone(), hit.micros, hit.rank, hit.line));
        for room in [usize::MAX, 100_000, 3_000, 0] {
            let mut sorter = Sorter::with_room(room);
            hits.iter().for_each(|hit| sorter.add(hit.clone()).unwrap());
            let sorted: Vec<Hit> = sorter.sorted().unwrap().map(Result::unwrap).collect();
            assert!(sorted == expected, "{room}");
        }
    }
}
