//! Capture files, packet by packet: pcap and pcapng, either byte order, any resolution of time. Bounded whatever they say.
use super::CaptureError;
use crate::model::{Sha256Digest, observation::capture::Format};
use pcap_parser::{
    Block, InterfaceDescriptionBlock, InterfaceStatisticsBlock, PcapBlockOwned, PcapError, PcapNGOption, create_reader,
};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// The longest block that is read; packets are at most 256 KiB.
const LONGEST: usize = 2 << 20;
/// Interfaces of one file.
const MOST_INTERFACES: usize = 4096;
const NANO: i128 = 1_000_000_000;

pub(super) struct Packet<'a> {
    /// From 1, as in Wireshark.
    pub number: u64,
    /// Nanoseconds since 1970; none in a block without a time.
    pub at: Option<u64>,
    /// LINKTYPE_ number.
    pub link: i32,
    pub data: &'a [u8],
    /// It was longer on the wire.
    pub cut: bool,
}

/// What a file says of itself.
pub(super) struct About {
    pub format: Format,
    pub packets: u64,
    pub dropped: Option<u64>,
    pub filters: Vec<String>,
    pub sha256: Sha256Digest,
    pub bytes: u64,
}

struct Interface {
    link: i32,
    /// Units per second, and what to add in seconds.
    resolution: u64,
    offset: i64,
    filter: Option<String>,
    dropped: Option<u64>,
    used: bool,
}

/// Reads a file to its end. What is no capture, or ends within a packet, is an error.
pub(super) fn read(path: &Path, each: &mut dyn FnMut(&Packet<'_>)) -> Result<About, CaptureError> {
    let name = || path.display().to_string();
    let bad = |why: String| CaptureError::File { file: name(), why };
    let broken = |source| CaptureError::Io { file: name(), source };
    let file = File::open(path).map_err(broken)?;
    if !file.metadata().map_err(broken)?.is_file() {
        return Err(bad("it is no plain file; capture to a file first".to_owned()));
    }
    let hash = Arc::new(Mutex::new(Hash::default()));
    let source = Hashing { file, hash: hash.clone() };
    let mut reader = create_reader(LONGEST, source).map_err(|e| bad(not_a_capture(&e)))?;
    let mut walk = Walk { format: Format::Pcap, interfaces: Vec::new(), section: 0, big_endian: false, packets: 0 };
    loop {
        let before = reader.data().len();
        let refill = match reader.next() {
            Ok((length, block)) => {
                walk.block(&block, each).map_err(|why| bad(format!("after packet {}: {why}", walk.packets)))?;
                reader.consume(length);
                false
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_)) => true,
            Err(e) => return Err(bad(cut_off(&e, walk.packets))),
        };
        if refill {
            reader.refill().map_err(|e| bad(cut_off(&e, walk.packets)))?;
            if reader.data().len() <= before && !reader.reader_exhausted() {
                return Err(bad(cut_off(&PcapError::BufferTooSmall, walk.packets)));
            }
        }
    }
    drop(reader);
    let Hash { sha, bytes } = std::mem::take(&mut *hash.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(walk.about(Sha256Digest::from(sha), bytes))
}

fn not_a_capture(e: &PcapError<&[u8]>) -> String {
    match e {
        PcapError::Eof => "it is empty".to_owned(),
        PcapError::Incomplete(_) | PcapError::UnexpectedEof => "it ends within its header".to_owned(),
        PcapError::ReadError => "it cannot be read".to_owned(),
        PcapError::BufferTooSmall
        | PcapError::HeaderNotRecognized
        | PcapError::NomError(..)
        | PcapError::OwnedNomError(..) => {
            "it is neither pcap nor pcapng; unpack it, or convert it with `editcap -F pcapng IN OUT`".to_owned()
        }
    }
}

fn cut_off(e: &PcapError<&[u8]>, packets: u64) -> String {
    let why = match e {
        PcapError::Eof | PcapError::Incomplete(_) | PcapError::UnexpectedEof => "it ends within a packet or block",
        PcapError::BufferTooSmall => "what follows says that it is longer than any packet",
        PcapError::ReadError => "it cannot be read further",
        PcapError::HeaderNotRecognized | PcapError::NomError(..) | PcapError::OwnedNomError(..) => {
            "what follows is no packet"
        }
    };
    format!("after packet {packets}: {why}; what is whole can be taken out with `editcap IN OUT`")
}

struct Walk {
    format: Format,
    interfaces: Vec<Interface>,
    /// Where the interfaces of this section begin.
    section: usize,
    big_endian: bool,
    packets: u64,
}

impl Walk {
    fn block(&mut self, block: &PcapBlockOwned<'_>, each: &mut dyn FnMut(&Packet<'_>)) -> Result<(), String> {
        match block {
            PcapBlockOwned::LegacyHeader(h) => {
                let resolution = if h.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 };
                // The upper bits tell of checksums at the end of frames.
                self.interface(h.network.0 & 0xffff, resolution, 0, None)?;
            }
            PcapBlockOwned::Legacy(p) => {
                let resolution = self.interfaces.first().map_or(1_000_000, |i| i.resolution);
                let at = u64::from(p.ts_sec) * resolution + u64::from(p.ts_usec);
                self.packet(0, Some(at), p.data, p.caplen, p.origlen, each)?;
            }
            PcapBlockOwned::NG(block) => {
                self.format = Format::Pcapng;
                match block {
                    Block::SectionHeader(h) => {
                        (self.section, self.big_endian) = (self.interfaces.len(), h.big_endian())
                    }
                    Block::InterfaceDescription(i) => self.describe(i)?,
                    Block::EnhancedPacket(p) => {
                        let at = u64::from(p.ts_high) << 32 | u64::from(p.ts_low);
                        self.packet(p.if_id, Some(at), p.data, p.caplen, p.origlen, each)?;
                    }
                    Block::SimplePacket(p) => {
                        let length = u32::try_from(p.data.len()).unwrap_or(u32::MAX).min(p.origlen);
                        self.packet(0, None, p.data, length, p.origlen, each)?;
                    }
                    Block::InterfaceStatistics(s) => self.statistics(s),
                    Block::NameResolution(_)
                    | Block::SystemdJournalExport(_)
                    | Block::DecryptionSecrets(_)
                    | Block::ProcessInformation(_)
                    | Block::Custom(_)
                    | Block::Unknown(_) => {}
                }
            }
        }
        Ok(())
    }

    fn interface(&mut self, link: i32, resolution: u64, offset: i64, filter: Option<String>) -> Result<(), String> {
        if self.interfaces.len() >= MOST_INTERFACES {
            return Err(format!("it has more than {MOST_INTERFACES} interfaces"));
        }
        self.interfaces.push(Interface { link, resolution, offset, filter, dropped: None, used: false });
        Ok(())
    }

    fn describe(&mut self, block: &InterfaceDescriptionBlock<'_>) -> Result<(), String> {
        let filter = option(&block.options, 11).map(|f| String::from_utf8_lossy(f.get(1..).unwrap_or_default()).into());
        let resolution = block.ts_resolution().filter(|r| *r > 0).ok_or("an interface's resolution of time is none")?;
        self.interface(block.linktype.0, resolution, block.ts_offset(), filter)
    }

    fn statistics(&mut self, block: &InterfaceStatisticsBlock<'_>) {
        let number = |code| {
            let bytes: [u8; 8] = option(&block.options, code)?.try_into().ok()?;
            Some(if self.big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
        };
        // What the interface and what the system dropped (isb_ifdrop, isb_osdrop).
        let said = [5, 7].into_iter().filter_map(number).reduce(u64::saturating_add);
        let at = usize::try_from(block.if_id).unwrap_or(usize::MAX);
        if let (Some(said), Some(i)) = (said, self.interfaces.get_mut(self.section.saturating_add(at))) {
            // Later statistics stand for earlier ones, which they include.
            i.dropped = Some(i.dropped.unwrap_or(0).max(said));
        }
    }

    fn packet(
        &mut self,
        interface: u32,
        at: Option<u64>,
        data: &[u8],
        captured: u32,
        original: u32,
        each: &mut dyn FnMut(&Packet<'_>),
    ) -> Result<(), String> {
        self.packets += 1;
        let place = usize::try_from(interface).unwrap_or(usize::MAX);
        let known = self.interfaces.get_mut(self.section.saturating_add(place));
        let i = known.ok_or_else(|| format!("a packet is of interface {interface}, which is not described"))?;
        i.used = true;
        let at = at.and_then(|t| {
            let ns = i128::from(t) * NANO / i128::from(i.resolution) + i128::from(i.offset) * NANO;
            u64::try_from(ns).ok()
        });
        let length = usize::try_from(captured).unwrap_or(usize::MAX);
        let data = data.get(..length).unwrap_or(data);
        each(&Packet { number: self.packets, at, link: i.link, data, cut: captured < original });
        Ok(())
    }

    fn about(self, sha256: Sha256Digest, bytes: u64) -> About {
        let used = || self.interfaces.iter().filter(|i| i.used);
        let said = used().map(|i| i.dropped).try_fold(0, |n: u64, d| Some(n.saturating_add(d?)));
        let dropped = said.filter(|_| used().next().is_some());
        let mut filters: Vec<String> = used().filter_map(|i| i.filter.clone()).collect();
        filters.dedup();
        Self::shortened(&mut filters);
        About { format: self.format, packets: self.packets, dropped, filters, sha256, bytes }
    }

    fn shortened(filters: &mut Vec<String>) {
        filters.truncate(8);
        filters.iter_mut().for_each(|f| *f = crate::model::observation::clean(f, 200));
    }
}

fn option<'a>(all: &'a [PcapNGOption<'_>], code: u16) -> Option<&'a [u8]> {
    all.iter().find(|o| o.code.0 == code)?.as_bytes().ok()
}

#[derive(Default)]
struct Hash {
    sha: Sha256,
    bytes: u64,
}

/// Hashes what is read.
struct Hashing {
    file: File,
    hash: Arc<Mutex<Hash>>,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        let mut hash = self.hash.lock().unwrap_or_else(PoisonError::into_inner);
        hash.sha.update(buffer.get(..n).unwrap_or_default());
        hash.bytes += n as u64;
        Ok(n)
    }
}
