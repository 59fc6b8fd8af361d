/**
 * Special purpose registers that have mnemonics of their own (mflr, mtctr, mfvrsave): Power ISA 3.0B, Book III, 4.4.4
 * and the processors' manuals.
 */

export interface SpecialRegister {
  readonly name: string;
  readonly number: number;
  /** Whether the register is known to be read, written or both; the time base has a number for each. */
  readonly access: "r" | "w" | "rw";
}

const NAMES: Readonly<Record<SpecialRegister["access"], string>> = {
  rw: `
    xer:1 udscr:3 lr:8 ctr:9 uamr:13 dscr:17 dsisr:18 dar:19 dec:22 sdr1:25 srr0:26 srr1:27 cfar:28
    amr:29 pidr:48 iamr:61 fscr:153 uamor:157 pspb:159 dpdes:176 dawr0:180 dawr1:181 rpr:186
    ciabr:187 dawrx0:188 dawrx1:189 hfscr:190 vrsave:256 asr:280 ear:282 hsprg0:304 hsprg1:305
    hdisr:306 hdar:307 spurr:308 purr:309 hdec:310 hrmor:313 hsrr0:314 hsrr1:315 lpcr:318 lpidr:319
    hmer:336 hmeer:337 pcr:338 heir:339 amor:349 ptcr:464 usprg0:496 usprg1:497 urmor:505 usrr0:506
    usrr1:507 smfctrl:511 ummcr2:769 ummcra:770 upmc1:771 upmc2:772 upmc3:773 upmc4:774 upmc5:775
    upmc6:776 ummcr0:779 bescrs:800 bescrsu:801 bescrr:802 bescrru:803 ebbhr:804 ebbrr:805 bescr:806
    tar:815 asdr:816 psscr:823 ic:848 vtb:849 hpsscr:855 ppr:896 ppr32:898`,
  r: `
    rtcu:4 rtcl:5 ctrl:136 usprg3:259 tb:268 tbu:269 pvr:287 tir:446 usier2:736 usier3:737
    ummcr3:738 usier:768 usiar:780 usdar:781 ummcr1:782 pir:1023`,
  w: `
    rtcu:20 rtcl:21 tfhar:128 tfiar:129 texasr:130 texasru:131 ctrl:152 tbl:284 tbu:285 tbu40:286
    sier2:752 sier3:753 mmcr3:754 sier:784 mmcra:786 pmc1:787 pmc2:788 pmc3:789 pmc4:790 pmc5:791
    pmc6:792 mmcr0:795 siar:796 sdar:797 mmcr1:798`,
};

/** Every register that has a mnemonic. */
export const specialRegisters = (): SpecialRegister[] =>
  (["rw", "r", "w"] as const).flatMap((access) =>
    NAMES[access]
      .trim()
      .split(/\s+/)
      .map((entry) => {
        const [name, number] = entry.split(":");
        return { name, number: Number(number), access };
      }),
  );
