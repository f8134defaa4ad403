/**
 * What Go's archive/tar (1.19) writes for each of the headers in header-cases.test.data.ts: the header blocks, deflated, in
 * base64; '' where it refuses. Times are given to it with their nanoseconds.
 */
export const GO_HEADERS: Readonly<Record<string, string>> = {
  'small file in pax':
    'Sy1J1s/ILy4pZqAdMDAwMDAzMQHTBgYG6LSBgYEpg6GJqZGJubmBCUjc0NDQwIBBwYCBDqC0uCSxiMHAgBqeRPbcEAEA',
  'small file in ustar':
    'Sy1J1s/ILy4pZqAdMDAwMDAzMQHTBgYG6LSBgYEpg6GJqZGJubmBCUjc0NDQwIBBwYCBDqC0uCSxiMHAgBqeRPbcEAEA',
  'small file in gnu':
    'Sy1J1s/ILy4pZqAdMDAwMDAzMQHTBgYG6LSBgYEpg6GJqZGJubmBCUjc0NDAxIBBwYCBDqC0uCSxSEGBKp5E9twQAQA=',
  'everything zero in pax': 'q0otymegMTCAAFw0JtvQwMDUnEHBgIEOoLS4JLGIwcCA2p4cIgAA',
  'everything zero in ustar': 'q0otymegMTCAAFw0JtvQwMDUnEHBgIEOoLS4JLGIwcCA2p4cIgAA',
  'everything zero in gnu': 'q0otymegMTCAAFw0JtvQwMDQnEHBgIEOoLS4JLFIQYHqnhwiAAA=',
  'directory in pax': 'Sy1J1megMTAwMDAwNzUF0wYGBug0Fra5uZkBg4IpAx1AaXFJYhGDgQE1PInsuSECAA==',
  'directory in ustar': 'Sy1J1megMTAwMDAwNzUF0wYGBug0Fra5uZkBg4IpAx1AaXFJYhGDgQE1PInsuSECAA==',
  'directory in gnu': 'Sy1J1megMTAwMDAwNzUF0wYGBug0Fra5uZEBg4IpAx1AaXFJYpGCAlU8iey5IQIA',
  'directory with file type bits in pax': 'Sy1J1megMTAwMDEwNzVlMIAAdBoL29zczIRBwZSBDqC0uCSxiMHAgHJPonpuiAAA',
  'directory with file type bits in ustar':
    'Sy1J1megMTAwMDEwNzVlMIAAdBoL29zczIRBwZSBDqC0uCSxiMHAgHJPonpuiAAA',
  'directory with file type bits in gnu': 'Sy1J1megMTAwMDEwNzVlMIAAdBoL29zcyIRBwZSBDqC0uCSxSEGBCp5E9dwQAQA=',
  'symlink in pax': 'S8rM0y/OYKApMDAwMDA3NwfTBgYG6DQm29DIzNCQQcFIv7S4SD8pM08/JZFmbiwtLkksYjAwoIYnkT03RAAA',
  'symlink in ustar': 'S8rM0y/OYKApMDAwMDA3NwfTBgYG6DQm29DIzNCQQcFIv7S4SD8pM08/JZFmbiwtLkksYjAwoIYnkT03RAAA',
  'symlink in gnu': 'S8rM0y/OYKApMDAwMDA3NwfTBgYG6DQm29DI1NSQQcFIv7S4SD8pM08/JZFmbiwtLkksUlCgiieRPTdEAAA=',
  'hard link in pax': 'S2KgPTCAAFw0Fra5iZkxg4JhIh0cV1pckljEYGBAbU8OEQAA',
  'hard link in ustar': 'S2KgPTCAAFw0Fra5iZkxg4JhIh0cV1pckljEYGBAbU8OEQAA',
  'hard link in gnu': 'S2KgPTCAAFw0Fra5iZExg4JhIh0cV1pcklikoEB1Tw4RAAA=',
  'fifo in pax': 'K8gsSGWgMTCAAFw0JtvQwMDEmEHBjIEOoLS4JLGIwcCA2p4cIgAA',
  'fifo in ustar': 'K8gsSGWgMTCAAFw0JtvQwMDEmEHBjIEOoLS4JLGIwcCA2p4cIgAA',
  'fifo in gnu': 'K8gsSGWgMTCAAFw0JtvQwMDAmEHBjIEOoLS4JLFIQYHqnhwiAAA=',
  'character device in pax': 'yyvNyWGgMTCAAFw0JtvQwMDMkEHBmIEOoLS4JLGIwcCAOp40hNJ0cTo1AAA=',
  'character device in ustar': 'yyvNyWGgMTCAAFw0JtvQwMDMkEHBmIEOoLS4JLGIwcCAOp40hNJ0cTo1AAA=',
  'character device in gnu': 'yyvNyWGgMTCAAFw0JtvQwMDIkEHBmIEOoLS4JLFIQYFKnjSE0nRxOjUAAA==',
  'block device in pax': 'K05JZKA1MIAAXDQWtrm5sSmDggkDHUBpcUliEYOBAVU8aWjAYA4BDEMEAAA=',
  'block device in ustar': 'K05JZKA1MIAAXDQWtrm5sSmDggkDHUBpcUliEYOBAVU8aWjAYA4BDEMEAAA=',
  'block device in gnu': 'K05JZKA1MIAAXDQWtrmZuSmDggkDHUBpcUlikYICdTxpaMBgDgEMQwQAAA==',
  'device major over octal in pax': '',
  'device major over octal in ustar': '',
  'device major over octal in gnu': 'S0ktY6A1MIAAXDQm29DA0MyEQcGYgQ6gtLgksUhBgWJzGkCE7rEDME8MEQAA',
  'owner names in pax':
    'S2OgPTAwMDAwMzEB0wYGBug0mG1oYmpkYm5uYAISNzQ0NjZjUDCgg9sYSotLEosYDAyK8vNL8Kkrz0hNzSHgSWTPDREAAA==',
  'owner names in ustar':
    'S2OgPTAwMDAwMzEB0wYGBug0mG1oYmpkYm5uYAISNzQ0NjZjUDCgg9sYSotLEosYDAyK8vNL8Kkrz0hNzSHgSWTPDREAAA==',
  'owner names in gnu':
    'S2OgPTAwMDAwMzEB0wYGBug0mG1oYmpkYm5uYAISNzQ0MjdjUDCgg9sYSotLEosUFBiK8vNL8Kkrz0hNzSHgSWTPDREAAA==',
  'owner names of 33 bytes in pax':
    'C0is8EhNTEktKtYz0E9joAkwgABctIGhkRmcDRY3NDA2N2BQqGCgAygtLkksYjAwYBiZwMRYIT0vMTfVNp0Q4DIxVigFKy0lBLgYRsEQAWl0sAOUqc1MTHDmfxDb0MTUyMTc3MAEJG5kamRgyqBgQM/8TyhNE8oe6J4bIgAA',
  'owner names of 33 bytes in ustar': '',
  'owner names of 33 bytes in gnu': '',
  'owner names in UTF-8 in pax':
    'C0is8EhNTEktKtYz0E9joAkwgABctIGBiRGCDRI3NDA2M2VQqGCgAygtLkksYjAwYBiZwNBcIT0vMTfVNr3o8LbD81O5DM0VSsECWYf3FKWn5nExjIJhDNLoYAcoU5uZmODO/wYGDIYmpkYm5uYGJuD8b2hobMigYEDP/J8FSux41KUXpZJUyA0RAAA=',
  'owner names in UTF-8 in ustar': '',
  'owner names in UTF-8 in gnu':
    'S2OgPTAwMDAwMzEB0wYGBug0mG1oYmpkYm5uYAISNzQ2MjJmUDCgg9sYSotLEosUFBiyDu8pSk/Nw6kuvejwtsPzU/F6EtlzQwQAAA==',
  'largest octal ids in pax':
    'S2OgPTAwMDAwMzFhMIcAOG2AAAyGJqZGJubmBiYGBgwGBuamJuYMCgZ0cBtDaXFJYhGDgQE1PGkAdjyEHiIAAA==',
  'largest octal ids in ustar':
    'S2OgPTAwMDAwMzFhMIcAOG2AAAyGJqZGJubmBiYGBgwGBuamJuYMCgZ0cBtDaXFJYhGDgQE1PGkAdjyEHiIAAA==',
  'largest octal ids in gnu':
    'S2OgPTAwMDAwMzFhMIcAOG2AAAyGJqZGJubmBiYGBgwGBuamBuYMCgZ0cBtDaXFJYpGCAlU8aQB2PIQeIgAA',
  'ids of a rootless map in pax':
    '7dMxDsIwDAVQzz1FTgDf5ichQ3dGrhApLeraUqnHRy0DElJHKhV4i62/WB7+NU+XJpemHw44tvIReFqbAPW1z7niFChukg2Mwz33Ashv0rO7daWmJaYQLbFS78au1IYU1Vslf9+s3eDGXOpArvcfEKU3xggueSS8OOyp/+/P7cQD',
  'ids of a rootless map in ustar': '',
  'ids of a rootless map in gnu':
    'S2OgPTAwMDAwMzFhaABxFBjA9P////8ZIACDoYmpkYm5uYGJgQGDgaGBqYkBg4IBHdzGUFpcklikoEAVT4I8AqOHCAAA',
  'negative ids in pax':
    'C0is8EhNTEktKtYz0E9joAkwgABctIGBkRGCDRI3NDA2M2ZQqGCgAygtLkksYjAwYBiZwFIhPTPFVteIy1KhFMQw5GIYBSMIpNHBDlCmNjMxwZ3/DQwYDE1MjUzMzQ1MwOLmJgamDAoGQyn/o3tuiAAA',
  'negative ids in ustar': '',
  'negative ids in gnu':
    'S2OgPTAwMDAwMzFh+I8K/hkgAIOhiamRibm5gYmBAYOBoZmBmQmDggEd3MZQWlySWKSgQBVPgjwCo4cIAAA=',
  'largest octal size in pax':
    'S2OgPTAwMDAwMzEB0wYGBnDaHAEYDE1MjUzMzQ1MwPLmpkZGDAoGdHAbQ2lxSWIRg4EBNTyJ7LkhAgA=',
  'largest octal size in ustar':
    'S2OgPTAwMDAwMzEB0wYGBnDaHAEYDE1MjUzMzQ1MwPLmpkZGDAoGdHAbQ2lxSWIRg4EBNTyJ7LkhAgA=',
  'largest octal size in gnu':
    'S2OgPTAwMDAwMzEB0wYGBnDaHAEYDE1MjUzMzQ1MwPLmJmZGDAoGdHAbQ2lxSWKRggJVPInsuSECAA==',
  'size over octal in pax':
    'C0is8EhNTEktKtYz0E9joAkwgABctIGBkTGCDRI3NDA2M2FQqGCgAygtLkksYjAwYBiZwNBSoTizKtXWwtTC0tLYxNTSiIthFIwckEYHO0CZ2szEBHf+NzBgMDQxNTIxNzcwAYubmxiYMigYDKX8j+65IQIA',
  'size over octal in ustar': '',
  'size over octal in gnu':
    'S2OgPTAwMDAwMzEB0wYGBnC6ASLNBCIMTUyNTMzNDUzA8mamRuYMCgZ0cBtDaXFJYpGCAlU8iey5IQIA',
  'mtime in 2040 in pax': 'S2OgPTAwMDAwMzEB0wYGBug0mG1kYGxqZGJubgQWNzcxMGZQMKCD2xhKi0sSixgMDKjhSWTPDREAAA==',
  'mtime in 2040 in ustar':
    'S2OgPTAwMDAwMzEB0wYGBug0mG1kYGxqZGJubgQWNzcxMGZQMKCD2xhKi0sSixgMDKjhSWTPDREAAA==',
  'mtime in 2040 in gnu': 'S2OgPTAwMDAwMzEB0wYGBug0mG1kYGxqZGJubgQWNzc2MWZQMKCD2xhKi0sSixQUqOJJZM8NEQAA',
  'mtime over octal in pax':
    'C0is8EhNTEktKtYz0E9joAkwgABctIGBkQmCDRI3NDA2M2VQqGCgAygtLkksYjAwYBiZwMhAIbckMzfV1sLUwtLS2MTU0oiLYRSMGJBGBztAmdrMxAR3/sdgmxubGDMoGAyl/I/uuSECAA==',
  'mtime over octal in ustar': '',
  'mtime over octal in gnu': 'S2OgPTAwMDAwMzEB0wYGBug0mN0AUcoEUW9mYmbKoGBAB7cxlBaXJBYpKFDFk8ieGyIAAA==',
  'mtime before 1970 in pax':
    'C0is8EhNTEktKtYz0E9joAkwgABctIGBoQmCDRI3NDA2M2FQqGCgAygtLkksYjAwYBiZwNBIIbckMzfVVteQi2EUjDiQRgc7QJnazMQEd/7HYJsbmxgzKBgMpfyP7rkhAgA=',
  'mtime before 1970 in ustar': '',
  'mtime before 1970 in gnu': 'S2OgPTAwMDAwMzEB0wYGBug0mP0fCRgYmhiZmDMoGNDBbQylxSWJRQoKVPEksueGCAAA',
  'mtime with nanoseconds in pax':
    'C0is8EhNTEktKtYz0E9joAkwgABctIGBsRmCDRI3NDA2N2BQqGCgAygtLkksYjAwYBiZwNhAIbckMzfV1tAcFv56hkbGJqZm5haWXAyjYJiDNDrYAUpUZiYmuPO/gQGDoYmpkYm5uYEJWNzcxMCUQcFgKOV/dM8NEQAA',
  'mtime with nanoseconds in ustar':
    'S2OgPTAwMDAwMzEB0wYGBug0mG1oYmpkYm5uYAIWNzcxMGVQMKCD2xhKi0sSixgMDKjhSWTPDREAAA==',
  'mtime with nanoseconds in gnu':
    'S2OgPTAwMDAwMzEB0wYGBug0mG1oYmpkYm5uYAIWNzc2MWVQMKCD2xhKi0sSixQUqOJJZM8NEQAA',
  'mtime before 1970 with nanoseconds in pax':
    'C0is8EhNTEktKtYz0E9joAkwgABctIGBoRmCDRI3NDA2M2NQqGCgAygtLkksYjAwYBiZwNBEIbckMzfVVtdQz5SLYRSMMJBGBztAmdrMxAR3/sdgmxubGDMoGAyl/I/uuSECAA==',
  'mtime before 1970 with nanoseconds in ustar': '',
  'mtime before 1970 with nanoseconds in gnu':
    'S2OgPTAwMDAwMzEB0wYGBug0mP0fAf4ZGJoYmZgxKBjQwW0MpcUliUUKClTxJLLnhggAAA==',
  'atime and ctime in pax':
    'C0is8EhNTEktKtYz0E9joAkwgABctIGBMRIbJG5oYGxmxKBQwUAHUFpckljEYGDAMDKBoaFCYklmbqqtKZehsUIymGmmZ8rFMApGBEijgx2gTG1mYoI7/xsYMBiamBqZmJsbmIDFzU0MTBkUDIZS/kf33BABAA==',
  'atime and ctime in ustar': '',
  'atime and ctime in gnu':
    'S2OgPTAwMDAwMzEB0wYGBug0mG1oYmpkYm5uYAISNzQ0MTJgUDCgg9sYSotLEosUFKjiSeyeM0VimzEMMgAA',
  'setuid, setgid, sticky in pax':
    'S2OgPTAwMDA3NzcH0SCAToPZhiamRibm5gYmYHFzEyNjBgUDOriNobS4JLGIwcCACp5E8dwQAQA=',
  'setuid, setgid, sticky in ustar':
    'S2OgPTAwMDA3NzcH0SCAToPZhiamRibm5gYmYHFzEyNjBgUDOriNobS4JLGIwcCACp5E8dwQAQA=',
  'setuid, setgid, sticky in gnu':
    'S2OgPTAwMDA3NzcH0SCAToPZhiamRibm5gYmYHFzYzNjBgUDOriNobS4JLFIQYEankTx3BABAA==',
  'mode over octal in pax': '',
  'mode over octal in ustar': '',
  'mode over octal in gnu': 'S2OgPWgAEQoMDAYQgE6D2YYmpkYm5uYGJmBxcwMTcwYFAzq4jaG0uCSxSEGBYnPQPTdEAAA=',
  'name of 100 bytes in pax': 'y8ujPTAwMDAwMzFhMIAAdBrMNjQxNTIxNzcwAYkbm5gZmTMoGDDQAZQWlyQWMRhQbBe654YIAAA=',
  'name of 100 bytes in ustar':
    'y8ujPTAwMDAwMzFhMIAAdBrMNjQxNTIxNzcwAYkbm5gZmTMoGDDQAZQWlyQWMRhQbBe654YIAAA=',
  'name of 100 bytes in gnu': 'y8ujPTAwMDAwMzFhMIAAdBrMNjQxNTIxNzcwAYkbm5iamTMoGDDQAZQWlyQWKShQbA6654YIAAA=',
  'name of 101 bytes in pax':
    'C0is8EhNTEktKtYz0C+lDTCAAAYctIGhqTmcDRY3NjE0NmRQqGCgAygtLkksYjAwYBiZwNDQUKEgsSTDtpQegIthFAwuQI9YB2VqMxMTnPkfxDY0MTUyMTc3MAHnfzNDI2MGBYOhlP/RPTdEAAA=',
  'name of 101 bytes in ustar': '',
  'name of 101 bytes in gnu':
    '09PX03fwyc9L98nMy2agDTCAAFy0gaGJGZwNETc3NzVjUPBhoAMoLS5JLFJQYBihoJQegGEUjOT4B2VqMxMTnPkfxDY0MTUyMTc3MAGJG5sZmBkzKBgMpfyP7rkhAgA=',
  'name to split in pax':
    'y8ujFWCAAwMDAwMzExMwbWBggE6D2YYmpkYm5uYGJiBxMzNTIxMGBQMGOoDS4pLEIgYDiu1C91xKZlFqckl+UaX+gLPwORsA',
  'name to split in ustar':
    'y8ujFWCAAwMDAwMzExMwbWBggE6D2YYmpkYm5uYGJiBxMzNTIxMGBQMGOoDS4pLEIgYDiu1C91xKZlFqckl+UaX+gLPwORsA',
  'name to split in gnu':
    '09PX03fwyc9L98nMy2agDTCAAFy0gbGJOZwNETc3NzNkUPBhoAMoLS5JLFJQYBihICWzKDW5JL+oUn/gWXk0AwyjYODiH5y3zUxMcOZ/ENvQxNTIxNzcwAQkbmxsaG7AoGAwlPI/uueGCAAA',
  'name to split, also needing pax in pax':
    'S8ksSk0uyS+q1E+hFYvBAAJw0QbG5uZwNljc2MjAxJBBoYKBDqC0uCSxiMHAgGFkAiMTA4WCxJIM2xTaJwSiWXk0A1yGpgqlmSm2xpCkxsUw0kEKnfK/mYkJzvwPYhuamBqZmJsbmIDzv7GRsQGDgsFQyv/onhsiAAA=',
  'name to split, also needing pax in ustar': '',
  'name to split, also needing pax in gnu':
    '09PX03fwyc9L98nMy2agDTCAAFy0gbGJOZwNETc3NzNkUPBhoAMoLS5JLFJQYBihICWzKDW5JL+oUn/gWXk0AwyjYODiH5y3zUxMGBpAFuoeO4Ce/0FsQxNTIxNzcwMTkLixsamxMYOCwVDK/+iF2xABAA==',
  'prefix of 155 bytes in pax':
    'y8ujPTAwMDAwMzFhMIAAdBrMNjQxNTIxNzcwAYmbm5mamDMoGDDQAZQWlyQWMRhQbBe65woGL0B2NgA=',
  'prefix of 155 bytes in ustar':
    'y8ujPTAwMDAwMzFhMIAAdBrMNjQxNTIxNzcwAYmbm5mamDMoGDDQAZQWlyQWMRhQbBe65woGL0B2NgA=',
  'prefix of 155 bytes in gnu':
    '09PX03fwyc9L98nMy2agDTCAAFy0gYmBIZwNETc3NzVgUPBhoAMoLS5JLFJQYBihoGDwAv08OgCGEQ7oEZGgTG1mYoIz/4PYhiamRibm5gYmIHFjUwNzcwYFg6GU/9E9N0QAAA==',
  'prefix of 156 bytes in pax':
    'KyigPTCAAAYctIGRKYINFjc2Njc2Y1CoYKADKC0uSSxiMDBgGJnA0MxCoSCxJMO2YBAD/TwuhlFAE1BAp/xvZmKCM/+D2IYmpkYm5uYGJuD8b2pobM6gYDCU8j+654YIAAA=',
  'prefix of 156 bytes in ustar': '',
  'prefix of 156 bytes in gnu':
    '09PX03fwyc9L98nMy2agDTCAAFy0gZGxOZwNETc3NzVnUPBhoAMoLS5JLFJQYBihoGAQA/08hlEwDOIflKnNTExw5n8Q29DE1MjE3NzABCRubGpgbs6gYDCU8j+654YIAAA=',
  'directory of 101 bytes in pax':
    'S0mhPTCAAAYctIGhqTmcDRY3NjQxM2FQqGCgAygtLkksYjAwYBiZwNDQUKEgsSTDlg7pIEWfi2EUDC6QMgjyPwbb2MjMwIRBwXQo5X90zw0RAAA=',
  'directory of 101 bytes in ustar': '',
  'directory of 101 bytes in gnu':
    '09PX03fwyc9L98nMy2agDTCAAFy0gaGJGZwNETc3NzVjUPBhoAMoLS5JLFJQYBihIIUOQJ9hFIzk+CeU/zHYxkamJiYMCqZDKf+je26IAAA=',
  'directory to split in pax': 'S9FnoDkwgABcNCbb2MDI3JBBwZSBDqC0uCSxiMHAgNqeTNEfAEi6swE=',
  'directory to split in ustar': 'S9FnoDkwgABcNCbb2MDI3JBBwZSBDqC0uCSxiMHAgNqeTNEfAEi6swE=',
  'directory to split in gnu':
    '09PX03fwyc9L98nMy2agDTCAAFy0gaG5IZwNETc3NzVhUPBhoAMoLS5JLFJQYBihIEV/YCDDKBgp8U8w/2OwjUyNjY0ZFEyHUv5H99wQAQA=',
  'directory cut at a slash in pax':
    'S0mhNdBPNYAABhy0gbEpgg0WNzY0NjdmUKhgoAMoLS5JLGIwMGAYmcDI2EihILEkwzaF9glBXz91gIA+F8MowApoH+0M+oTyPwbb2MjY1JhBwXQo5X90zw0RAAA=',
  'directory cut at a slash in ustar': '',
  'directory cut at a slash in gnu':
    '09PX03fwyc9L98nMy2agDTCAAFy0gbGxOZwNETc3NzNgUPBhoAMoLS5JLFJQYBihIIXmQF9fP3WAgD7DKBjw+GfQJ5T/MdjGRsaGxgwKpkMp/6N7bogAAA==',
  'name in UTF-8 in pax':
    'KylKTy3SD0is8EhNTEktKtYzYKA6MIAAXLSBgZEJgg0SNzQ0MjNmUKhgoAMoLS5JLGIwMGAYmcDIQKEgsSTDtqTo8BJQSng0o5mLYRSMGFACzv+0tQOUqc1MTHDnfwMDBkMTUyMTc3MDE3D+NzA2M2JQMBhK+R/dc0MEAAA=',
  'name in UTF-8 in ustar': '',
  'name in UTF-8 in gnu':
    'Kyk6vCQ9tUj/0YxmBloBAwMDAzMTEzBtYGCAToPZhiamRibm5gYmIHFDIwMzMwYFAwY6gNLiksQiBQWqeBLZc0MEAAA=',
  'name that is not UTF-8 in pax':
    'S05M0w9IrPBITUxJLSrWM2CgATCAAFy0gYGhOYINEjc0MDM3ZlCoYKADKC0uSSxiMDBgGJnA0FShILEkwzY5Me2l/n8uhlEwskByYpo+re0AZWozExPc+d/AgMHQxNTIxNzcwAQsbm5ubsCgYDCU8j+654YIAAA=',
  'name that is not UTF-8 in ustar': '',
  'name that is not UTF-8 in gnu':
    'S05Me6n/n4GmwMDAwMDMxARMGxgYoNNgtqGJqZGJubmBCUjc0MDcwIBBwYCBDqC0uCSxSEGBKp5E9twQAQA=',
  'name with dots in pax':
    '09PTT9RP0g9IrPBITUxJLSrWM2CgNjCAAFy0gYGRGYINEjc0NDA0Y1CoYKADKC0uSSxiMDBgGJnAyEihILEkw1YPlA709JP09R/NaOZiGAUjBCDinXZ2gDK1mYkJ7vxvYMBgaGJqZGJubmACzv8GxkbmDAoGQyn/o3tuiAAA',
  'name with dots in ustar': '',
  'name with dots in gnu':
    '09PTT9TX00/S1380o5mBNsDAwMDAzMQETBsYGKDTYLahiamRibm5gQlI3NDQyMyEQcGAgQ6gtLgksUhBgSqeRPbcEAEA',
  'absolute name in pax':
    '009MKtYPSKzwSE1MSS0q1jNgoD4wgABctIGBkSGCDRI3NDA3M2RQqGCgAygtLkksYjAwYBiZwNBcoSCxJMNWH5QOHs1o5mIYBSMJgOOdxnaAMrWZiQnu/G9gwGBoYmpkYm5uYALJ/wZmxgwKBkMp/6N7bogAAA==',
  'absolute name in ustar': '',
  'absolute name in gnu':
    '009MKtZ/NKOZgYbAwMDAwMzEBEwbGBig02C2oYmpkYm5uYEJSNzQ0MDIgEHBgIEOoLS4JLFIQYEqnkT23BABAA==',
  'name without a directory in pax':
    'C0is8EhNTEktKtYzYKARMIAAXLSBgaEJgg0SNzQwNDZnUKhgoAMoLS5JLGIwMGAYmcDQSKEgsSTD9tGMZi6GUTAKaJT/zUxMcOd/AwMGQxNTIxNzcwMTsLi5ESj/Gwyl/I/uuSECAA==',
  'name without a directory in ustar': '',
  'name without a directory in gnu':
    'ezSjmYHWwMDAwMDMxARMGxgYoNNgtqGJqZGJubmBCUjc0MDQ3IRBwYCBDqC0uCSxSEGBKp5E9twQAQA=',
  'directory in UTF-8 in pax':
    'KylKTy3S1w9IrPBITUxJLSrWM2CgNjCAAFy0gYGRKYINEjc0NDYxZlCoYKADKC0uSSxiMDBgGJnAyFChILEkw7ak6PASUEp4NKNZn4thFIwUUALJ/zS1g2D+R2cbGhibmTEomA6l/I/uuSECAA==',
  'directory in UTF-8 in ustar': '',
  'directory in UTF-8 in gnu': 'Kyk6vCQ9tUj/0YxmfQYaAQMIwEVjsg2NDMyNGBRMGegASotLEosUFKjuySECAA==',
  'long name in UTF-8 in pax':
    '0w9IrPBITUxJLSrWM9CvoAkwgAAGHLSBiYkxnA0WNzYxMTJmUKhgoAMoLS5JLGIwMGAYmcDI0lChILEkw/bwksENaZQ2CQOuYR3/9AhWUKY2MzHBmf9BbEMTUyMTc3MDE3D+NzMxM2NQMBhK+R/dc0MEAAA=',
  'long name in UTF-8 in ustar': '',
  'long name in UTF-8 in gnu':
    '09PX03fwyc9L98nMy2agDTCAAFy0gYmxEZwNETc3NzVhUPBhoAMoLS5JLFJQYBih4PCSwQ31KwYIjMY/1SAoU5uZmODM/yC2oYmpkYm5uYEJSNzUyMjYlEHBYCjlf3TPDREAAA==',
  'name with a NUL in pax': '',
  'name with a NUL in ustar': '',
  'name with a NUL in gnu': '',
  'link of 100 bytes in pax': 'y2GgPTCAAFw0JtvYzMDUlEHBqIQOoLS4JLGIwcCA2p4cIgAA',
  'link of 100 bytes in ustar': 'y2GgPTCAAFw0JtvYzMDUlEHBqIQOoLS4JLGIwcCA2p4cIgAA',
  'link of 100 bytes in gnu': 'y2GgPTCAAFw0JtvYzMDQlEHBqIQOoLS4JLFIQYHqnhwiAAA=',
  'link of 101 bytes in pax':
    'C0is8EhNTEktKtYz0M9hoAkwgABctIGhmTGcDRY3NDA2N2dQqGCgAygtLkksYjAwYBiZwNDQVCEnMy+7ILEkw7aEHoCLYRQMHpBDBzsI5X8MtrGZgakpg4IRPZIjtfI/uueGCAAA',
  'link of 101 bytes in ustar': '',
  'link of 101 bytes in gnu':
    '09PX03fwyc9L98nMy2agDTCAAFy0gaGJGZwNETc3NzVlUPBmoAMoLS5JLFJQYBihoIQegGEUDFaQQwc7COV/DLaxmYGhKYOCET3SJrXyP7rnhggAAA==',
  'link of 101 bytes that has slashes in pax':
    'C0is8EhNTEktKtYz0M9hoAkwgABctIGxMYINFjc0MDY3ZlCoYKADKC0uSSxiMDBgGJnAyNBMISczL7sgsSTDtkR/uEAuhlFAFMihgx2E8j8G28jcyMCEQcGIDimFavkf3XNDBAAA',
  'link of 101 bytes that has slashes in ustar': '',
  'link of 101 bytes that has slashes in gnu':
    '09PX03fwyc9L98nMy2agDTCAAFy0gbGhMZwNETc3NzVkUPBmoAMoLS5JLFJQYBihoER/uECGUUAGyKGDHYTyPwbbyNzQxIRBwYgOyYZq+R/dc0MEAAA=',
  'link in UTF-8 in pax':
    'C0is8EhNTEktKtYz0M9hoAkwgABctIGBERIbJG5oYGxmzqBQwUAHUFpckljEYGDAMDKBoZlCTmZedkFiSYbtoxnNXAyjYESBHDrYQTD/Y7DNjY1NGRSMhlL+R/fcEAEA',
  'link in UTF-8 in ustar': '',
  'link in UTF-8 in gnu': 'y2GgPTCAAFw0JtvQwMjciEHB6NGMZpo7rrS4JLFIQYHqnhwiAAA=',
  'long link and long name in pax':
    'C0is8EhNTEktKtYz0M+jDTCAAAYctIGZKYINFjc2MjczY1CoYKADKC0uSSxiMDBgGJnAyNBEISczL7sgsSTDtmSYAC4jQwMFsI/yhgngolX808PxhPI/BtvM2MjcgEHBkB5phVr5H91zQwQAAA==',
  'long link and long name in ustar': '',
  'long link and long name in gnu':
    '09PX03fwyc9L98nMy2agDTCAAFy0gbGhIZwNETc3NzVgUPBhoAMoLS5JLFJQYBihIG+YAIZRQBbQG6T538ScQcF7NP/THJQMEzCakwdv+U8o/2OwzYyNjA0YFAzpkXColf/RPTdEAAA=',
  'link with a NUL in pax': '',
  'link with a NUL in ustar': '',
  'link with a NUL in gnu': '',
  'capability in pax':
    'C0is8EhNTEktKtYz0C/IzEtnoD4wgABctIGBuSGCDRI3NDQwN2dQqGCgAygtLkksYjAwYBiZwNRcIdjZw9MnUq8isaSkSK84Nbm0KLOkUi85sSAxKTMns6TSlpGBgYlBAVUfF8MoGA6ARlkeI/+bmZjgzv8GBgyGJqZGJubmBibg/G9gaGjKoGAwlPI/uueGCAAA',
  'capability in ustar': '',
  'capability in gnu': '',
  'xattrs out of order, one empty in pax':
    'C0is8EhNTEktKtYz0E9joAkwgABctIGhoRmcDRY3NDA2M2dQqGCgAygtLkksYjAwYBiZwMhSIdjZw9MnUq8isaSkSK+kqLS4JDVFL9e2rIzLyBRVsrQ4tUgv0baMy8gEi0SVLRfDKBhiII0OdoAytZmJCc78D2IbmpgamZibG5iAxc1NDEwZFAyGUv5H99wQAQA=',
  'xattrs out of order, one empty in ustar': '',
  'xattrs out of order, one empty in gnu': '',
  'xattr name with an equals sign in pax': '',
  'xattr name with an equals sign in ustar': '',
  'xattr name with an equals sign in gnu': '',
  'further pax records in pax':
    'C0is8EhNTEktKtYz0E9joAkwgABctIGBqRGCDRI3NDA2M2NQqGCgAygtLkksYjAwYBiZwMhSwcfTyTHI2cMzzFUvuSg1sSQzP68kMzfV1pDL0FghOT83NzWvxLaCi2EUDEOQRgc7QJnazMQEd/43MGAwNDE1MjE3NzABi5ubGJgyKBgMpfyP7rkhAgA=',
  'further pax records in ustar': '',
  'further pax records in gnu': '',
  'records that repeat a field in pax':
    'C0is8EhNTEktKtYz0E9joAkwgABctIGBiSmCDRI3NDA2N2BQqGCgAygtLkksYjAwYBiZwMhAIbckMzfV1tAcFv5clgoFiSUZtmlcFgqlmSm25lwMo2C4gjQ62AFKVGYmJtA8bo6Z/w0MGAxNTI1MzM0NTMDi5iaGJgwKBkMp/6MXbkMEAAA=',
  'records that repeat a field in ustar': '',
  'records that repeat a field in gnu': '',
  'records of a sparse file in pax':
    'S2OgPTAwMDAwMzEB0wYGBug0mG1oYmpkYm5uYAIWNzcxMGVQMKCD2xhKi0sSixgMDKjhSWTPDREAAA==',
  'records of a sparse file in ustar': '',
  'records of a sparse file in gnu': '',
  'record with a NUL in its key in pax': '',
  'record with a NUL in its key in ustar': '',
  'record with a NUL in its key in gnu': '',
  'record without a key in pax': '',
  'record without a key in ustar': '',
  'record without a key in gnu': '',
  'global header in pax':
    'c8/JT0rM8UhNTNEz0DNgoAkwgABctIGBiQmCDRI3NDAyNGVQSGegAygtLkksYjAwYBiZwNBCITk/Nzc1r8Q22SAtLTWVy1KhILEkw7aAy1KhOLMq1daUi2EUDFsAAA==',
  'global header in ustar': '',
  'global header in gnu': '',
  'global header with a name in pax':
    'K0isiE/PyU9KzInPSE1MSS1ioD4wgABctIGBgRkS24DBwNDQ2NSUQSGdgQ6gtLgksYjBwIBhZAIzhUTbJC6GUTBCAQA=',
  'global header with a name in ustar': '',
  'global header with a name in gnu': '',
  'empty global header in pax': 'S2egPTCAAFw0FraZoakpg0I6HdzGUFpckljEYGDAMDIBAA==',
  'empty global header in ustar': '',
  'empty global header in gnu': '',
};
