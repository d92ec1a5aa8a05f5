//! The image of the kernel's time functions (vDSO; vdso(7)) and the plan for lengthening it, computed
//! once from our own: the kernel maps the same one into every process.

use super::ClockError;
use super::hook::{self, Setting};
use std::ops::Range;

/// The most that the image may be: it is two pages on every kernel known.
const MAX_IMAGE: u64 = 1 << 20;
/// Section type of dynamic symbols (System V ABI, chapter 4).
const DYNAMIC_SYMBOLS: u32 = 11;
/// Size of a symbol, and where its value stands in it.
const SYMBOL: usize = 24;
const VALUE: usize = 8;

/// What is changed in the image of each process; offsets are from the beginning of the image.
#[derive(Debug)]
pub(super) struct Plan {
    /// Where the code goes.
    pub(super) at: u64,
    code: Vec<u8>,
    slots: u64,
    originals: [u64; 2],
    /// Where the values of symbols stand, what they are, and what they shall be.
    pub(super) symbols: Vec<(u64, u64, u64)>,
    pub(super) size: u64,
}

impl Plan {
    /// The plan for this kernel.
    pub(super) fn new() -> Result<Self, ClockError> {
        // SAFETY: the call takes an integer and cannot fail otherwise than by 0.
        let base = unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) };
        let maps = std::fs::read_to_string("/proc/self/maps")
            .map_err(|source| ClockError::Io { what: "read /proc/self/maps", source })?;
        let range = mapping(&maps, base).ok_or(ClockError::Unknown("no mapping"))?;
        let length = usize::try_from(range.end - range.start).unwrap_or(0);
        // SAFETY: the kernel maps the image there, readable, for as long as the process lives.
        let image = unsafe { std::slice::from_raw_parts(range.start as *const u8, length) };
        Self::of(image)
    }

    /// The plan for an image.
    fn of(image: &[u8]) -> Result<Self, ClockError> {
        let table = Sections::of(image).ok_or(ClockError::Unknown("no table of sections"))?;
        let code = hook::code();
        let at = table.end.next_multiple_of(64);
        let room = image.get(at..at + code.len()).ok_or(ClockError::Unknown("no room"))?;
        if room.iter().any(|byte| *byte != 0) {
            return Err(ClockError::Unknown("something unknown at the end"));
        }
        let places = hook::places();
        let at = at as u64;
        let (mut symbols, mut originals) = (Vec::new(), [None; 2]);
        for (name, place) in table.symbols(image).ok_or(ClockError::Unknown("no symbols"))? {
            let value = word(image, place).ok_or(ClockError::Unknown("a symbol without value"))?;
            let (original, hook) = match name.strip_prefix("__vdso_").unwrap_or(&name) {
                "clock_gettime" => (Some(0), places.gettime),
                "gettimeofday" => (Some(1), places.timeofday),
                "time" => (None, places.time),
                _ => continue,
            };
            if let Some(original) = original {
                originals[original] = Some(value);
            }
            symbols.push((place as u64, value, at + hook));
        }
        let [Some(gettime), Some(timeofday)] = originals else {
            return Err(ClockError::Unknown("no function for the wall clock"));
        };
        let originals = [gettime, timeofday];
        let (slots, size) = (places.slots, image.len() as u64);
        Ok(Plan { at, code, slots, originals, symbols, size })
    }

    /// The code for an image at `base`.
    pub(super) fn code(&self, base: u64, setting: Setting, owner: u64) -> Vec<u8> {
        let mut code = self.code.clone();
        let originals = self.originals.map(|offset| base + offset);
        let slots = self.slots as usize;
        code[slots..slots + hook::SLOTS].copy_from_slice(&hook::slots(originals, setting, owner));
        code
    }

    /// Where mask, offset and owner are, from the beginning of the image.
    pub(super) fn setting(&self) -> u64 {
        self.at + self.slots + hook::MASK
    }
}

/// The mapping that begins at an address.
fn mapping(maps: &str, base: u64) -> Option<Range<u64>> {
    let begins = |line: &str| {
        let (from, to) = line.split_once(' ')?.0.split_once('-')?;
        let from = u64::from_str_radix(from, 16).ok()?;
        Some(from..u64::from_str_radix(to, 16).ok()?)
    };
    let range = maps.lines().filter_map(begins).find(|range| base != 0 && range.start == base)?;
    (range.end - range.start <= MAX_IMAGE).then_some(range)
}

/// The sections of an ELF image of 64 bits (System V ABI, chapter 4).
struct Sections {
    from: usize,
    size: usize,
    count: usize,
    /// Where the image ends: the table is the last of it.
    end: usize,
}

impl Sections {
    fn of(image: &[u8]) -> Option<Self> {
        if !image.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let from = usize::try_from(word(image, 40)?).ok()?;
        let (size, count) = (half(image, 58)?, half(image, 60)?);
        let end = from.checked_add(size.checked_mul(count)?)?;
        (size >= 64 && end <= image.len()).then_some(Sections { from, size, count, end })
    }

    fn section(&self, number: usize) -> Option<usize> {
        (number < self.count).then(|| self.from + number * self.size)
    }

    /// The names of the dynamic symbols, and where their values are.
    fn symbols(&self, image: &[u8]) -> Option<Vec<(String, usize)>> {
        let mut sections = (0..self.count).filter_map(|number| self.section(number));
        let section = sections.find(|at| double(image, at + 4) == Some(DYNAMIC_SYMBOLS))?;
        let place = |at: usize| usize::try_from(word(image, at)?).ok();
        let (from, size) = (place(section + 24)?, place(section + 32)?);
        let strings = self.section(usize::try_from(double(image, section + 40)?).ok()?)?;
        let strings = place(strings + 24)?;
        let table = image.get(from..from.checked_add(size)?)?;
        let mut out = Vec::new();
        for number in 0..table.len() / SYMBOL {
            let at = from + number * SYMBOL;
            let name = image.get(strings + usize::try_from(double(image, at)?).ok()?..)?;
            let name = name.split(|byte| *byte == 0).next()?;
            out.push((String::from_utf8_lossy(name).into_owned(), at + VALUE));
        }
        Some(out)
    }
}

fn word(image: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*image.get(at..)?.first_chunk()?))
}

fn double(image: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*image.get(at..)?.first_chunk()?))
}

fn half(image: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(*image.get(at..)?.first_chunk()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_kernel_has_a_plan() {
        let plan = Plan::new().unwrap();
        assert!(plan.symbols.len() >= 3, "{plan:?}");
        assert!(plan.setting() + 24 <= plan.size);
    }

    #[test]
    fn what_is_no_image_has_none() {
        for image in [&b""[..], b"\x7fELF\x02\x01", &[0; 64], &[b'\x7f'; 8192]] {
            assert!(Plan::of(image).is_err());
        }
        let mut image = vec![0xff; 4096];
        image[..6].copy_from_slice(b"\x7fELF\x02\x01");
        assert!(Plan::of(&image).is_err());
    }

    #[test]
    fn mappings_are_found_by_their_beginning() {
        let maps = "7ffc1000-7ffc3000 r-xp 00000000 00:00 0  [vdso]\n";
        assert_eq!(mapping(maps, 0x7ffc_1000), Some(0x7ffc_1000..0x7ffc_3000));
        assert_eq!(mapping(maps, 0), None);
        assert_eq!(mapping("nonsense", 1), None);
    }
}
