/**
 * What Go's archive/tar (as in tar-split) reads from its own test archives: one row per visible entry, made by running it
 * over them, as the JSON of an {@link ExpectedEntry}. Text is one character per byte; fields that are zero or empty are left out. The archives themselves are found
 * in Debian's golang source package.
 */

export interface ExpectedEntry {
  readonly type: string;
  readonly name: string;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly mtime?: readonly [number, number];
  readonly atime?: readonly [number, number];
  readonly ctime?: readonly [number, number];
  readonly user?: string;
  readonly group?: string;
  readonly device?: readonly [number, number];
  readonly xattrs?: readonly (readonly [string, string])[];
  /** Of the file as unpacked; absent for files of gigabytes. */
  readonly md5?: string;
  /** Bytes between the payload before and the payload of this entry. */
  readonly raw: number;
}

export const GO_ARCHIVES: Readonly<Record<string, readonly string[]>> = {
  'file-and-dir': [
    '{"type":"0","name":"small.txt","size":5,"md5":"e38b27eaccb4391bdec553a7f3ae6b2f","raw":512}',
    '{"type":"5","name":"dir/","raw":1019}',
  ],
  'gnu-incremental': [
    '{"type":"D","name":"test2/","mode":16877,"uid":1000,"gid":1000,"size":14,"mtime":[1441973427,0],"atime":[1441974501,0],"ctime":[1441973436,0],"user":"rawr","group":"dsnet","md5":"f693a99e832cf992ad835ed79aef897e","raw":512}',
    '{"type":"0","name":"test2/foo","mode":33188,"uid":1000,"gid":1000,"size":64,"mtime":[1441973363,0],"atime":[1441974501,0],"ctime":[1441973436,0],"user":"rawr","group":"dsnet","md5":"1d767b29c79a2633ef003adb87cca9e8","raw":1010}',
    '{"type":"S","name":"test2/sparse","mode":33188,"uid":1000,"gid":1000,"size":536870912,"mtime":[1441973427,0],"atime":[1441991948,0],"ctime":[1441973436,0],"user":"rawr","group":"dsnet","raw":960}',
  ],
  'gnu-long-nul': [
    '{"type":"0","name":"0123456789","mode":420,"uid":1000,"gid":1000,"mtime":[1486082191,0],"user":"rawr","group":"dsnet","raw":1536}',
  ],
  'gnu-multi-hdrs': [
    '{"type":"2","name":"GNU2/GNU2/long-path-name","link":"GNU4/GNU4/long-linkpath-name","raw":4608}',
  ],
  'gnu-nil-sparse-data': [
    '{"type":"S","name":"sparse.db","size":1000,"md5":"427008b3fe192f663d665f56cd75716c","raw":512}',
  ],
  'gnu-nil-sparse-hole': [
    '{"type":"S","name":"sparse.db","size":1000,"md5":"ede3d3b685b4e137ba4cb2521329a75e","raw":512}',
  ],
  'gnu-not-utf8': [
    '{"type":"0","name":"hibye","mode":420,"uid":1000,"gid":1000,"user":"rawr","group":"dsnet","raw":512}',
  ],
  'gnu-sparse-big': ['{"type":"S","name":"gnu-sparse","size":60000000000,"raw":1024}'],
  'gnu-utf8': [
    '{"type":"0","name":"âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹âºâ»â¹","mode":420,"uid":1000,"gid":1000,"user":"âº","group":"â¹","raw":1536}',
  ],
  gnu: [
    '{"type":"0","name":"small.txt","mode":416,"uid":73025,"gid":5000,"size":5,"mtime":[1244428340,0],"user":"dsymonds","group":"eng","md5":"e38b27eaccb4391bdec553a7f3ae6b2f","raw":512}',
    '{"type":"0","name":"small2.txt","mode":416,"uid":73025,"gid":5000,"size":11,"mtime":[1244436044,0],"user":"dsymonds","group":"eng","md5":"c65bd2e50a56a2138bf1716f2fd56fe9","raw":1019}',
  ],
  hardlink: [
    '{"type":"0","name":"file.txt","mode":420,"uid":1000,"gid":100,"size":15,"mtime":[1425484303,0],"user":"vbatts","group":"users","md5":"172abe9aca6350c07a59d23b9e13019e","raw":512}',
    '{"type":"1","name":"hard.txt","link":"file.txt","mode":420,"uid":1000,"gid":100,"mtime":[1425484303,0],"user":"vbatts","group":"users","raw":1009}',
  ],
  'hdr-only': [
    '{"type":"5","name":"dir/","mode":488,"uid":319973,"gid":5000,"mtime":[1442273732,0],"user":"joetsai","group":"eng","raw":512}',
    '{"type":"6","name":"fifo","mode":416,"uid":319973,"gid":5000,"mtime":[1442273806,0],"user":"joetsai","group":"eng","raw":512}',
    '{"type":"0","name":"file","mode":416,"uid":319973,"gid":5000,"size":46,"mtime":[1442273747,0],"user":"joetsai","group":"eng","md5":"3ad9a36881984043eab07a38c7960474","raw":512}',
    '{"type":"1","name":"hardlink","link":"file","mode":416,"uid":319973,"gid":5000,"mtime":[1442273747,0],"user":"joetsai","group":"eng","raw":978}',
    '{"type":"3","name":"null","mode":438,"uid":319973,"gid":5000,"mtime":[1442264573,0],"user":"joetsai","group":"eng","device":[1,3],"raw":512}',
    '{"type":"4","name":"sda","mode":432,"uid":319973,"gid":5000,"mtime":[1442264573,0],"user":"joetsai","group":"eng","device":[8,0],"raw":512}',
    '{"type":"2","name":"symlink","link":"file","mode":511,"uid":319973,"gid":5000,"mtime":[1442273756,0],"user":"joetsai","group":"eng","raw":512}',
    '{"type":"2","name":"badlink","link":"missing","mode":511,"uid":319973,"gid":5000,"mtime":[1442274044,0],"user":"joetsai","group":"eng","raw":512}',
    '{"type":"5","name":"dir/","mode":488,"uid":319973,"gid":5000,"size":5,"mtime":[1442273732,0],"user":"joetsai","group":"eng","raw":512}',
    '{"type":"6","name":"fifo","mode":416,"uid":319973,"gid":5000,"size":5,"mtime":[1442273806,0],"user":"joetsai","group":"eng","raw":512}',
    '{"type":"0","name":"file","mode":416,"uid":319973,"gid":5000,"size":46,"mtime":[1442273747,0],"user":"joetsai","group":"eng","md5":"3ad9a36881984043eab07a38c7960474","raw":512}',
    '{"type":"1","name":"hardlink","link":"file","mode":416,"uid":319973,"gid":5000,"size":5,"mtime":[1442273747,0],"user":"joetsai","group":"eng","raw":978}',
    '{"type":"3","name":"null","mode":438,"uid":319973,"gid":5000,"size":5,"mtime":[1442264573,0],"user":"joetsai","group":"eng","device":[1,3],"raw":512}',
    '{"type":"4","name":"sda","mode":432,"uid":319973,"gid":5000,"size":5,"mtime":[1442264573,0],"user":"joetsai","group":"eng","device":[8,0],"raw":512}',
    '{"type":"2","name":"symlink","link":"file","mode":511,"uid":319973,"gid":5000,"size":5,"mtime":[1442273756,0],"user":"joetsai","group":"eng","raw":512}',
    '{"type":"2","name":"badlink","link":"missing","mode":511,"uid":319973,"gid":5000,"size":5,"mtime":[1442274044,0],"user":"joetsai","group":"eng","raw":512}',
  ],
  'invalid-go17': [
    '{"type":"0","name":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/foo","uid":2097152,"raw":512}',
  ],
  'nil-uid': [
    '{"type":"0","name":"P1050238.JPG.log","mode":436,"size":14,"mtime":[1365454838,0],"user":"eyefi","group":"eyefi","md5":"08d504674115e77a67244beac19668f5","raw":512}',
  ],
  'pax-global-records': [
    '{"type":"g","name":"global1","raw":550}',
    '{"type":"0","name":"file1","raw":986}',
    '{"type":"0","name":"file2","raw":1536}',
    '{"type":"g","name":"GlobalHead.0.0","raw":520}',
    '{"type":"0","name":"file3","raw":1016}',
    '{"type":"0","name":"file4","mtime":[1400000000,0],"raw":1536}',
  ],
  'pax-multi-hdrs': ['{"type":"2","name":"bar","link":"PAX4/PAX4/long-linkpath-name","raw":4608}'],
  'pax-nil-sparse-data': [
    '{"type":"0","name":"sparse.db","size":1000,"md5":"427008b3fe192f663d665f56cd75716c","raw":2048}',
  ],
  'pax-nil-sparse-hole': [
    '{"type":"0","name":"sparse.db","size":1000,"md5":"ede3d3b685b4e137ba4cb2521329a75e","raw":2048}',
  ],
  'pax-path-hdr': [],
  'pax-pos-size-file': [
    '{"type":"0","name":"foo","mode":416,"uid":319973,"gid":5000,"size":999,"mtime":[1442282516,0],"user":"joetsai","group":"eng","md5":"0afb597b283fe61b5d4879669a350556","raw":1536}',
  ],
  'pax-records': ['{"type":"0","name":"file","user":"longlonglonglonglonglonglonglonglonglong","raw":1536}'],
  'pax-sparse-big': ['{"type":"0","name":"pax-sparse","size":60000000000,"raw":2048}'],
  pax: [
    '{"type":"0","name":"a/123456789101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899100","mode":436,"uid":1000,"gid":1000,"size":7,"mtime":[1350244992,23960108],"atime":[1350244992,23960108],"ctime":[1350244992,23960108],"user":"shane","group":"shane","md5":"3c382e8f5b6631aa2db52643912ffd4a","raw":1536}',
    '{"type":"2","name":"a/b","link":"123456789101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899100","mode":511,"uid":1000,"gid":1000,"mtime":[1350266320,910238425],"atime":[1350266320,910238425],"ctime":[1350266320,910238425],"user":"shane","group":"shane","raw":2041}',
  ],
  'sparse-formats': [
    '{"type":"S","name":"sparse-gnu","mode":420,"uid":1000,"gid":1000,"size":200,"mtime":[1392395740,0],"user":"david","group":"david","md5":"6f53234398c2449fe67c1812d993012f","raw":3072}',
    '{"type":"0","name":"sparse-posix-0.0","mode":420,"uid":1000,"gid":1000,"size":200,"mtime":[1392342187,0],"user":"david","group":"david","md5":"6f53234398c2449fe67c1812d993012f","raw":6561}',
    '{"type":"0","name":"sparse-posix-0.1","mode":420,"uid":1000,"gid":1000,"size":200,"mtime":[1392340456,0],"user":"david","group":"david","md5":"6f53234398c2449fe67c1812d993012f","raw":2465}',
    '{"type":"0","name":"sparse-posix-1.0","mode":420,"uid":1000,"gid":1000,"size":200,"mtime":[1392337404,0],"user":"david","group":"david","md5":"6f53234398c2449fe67c1812d993012f","raw":2977}',
    '{"type":"0","name":"end","mode":420,"uid":1000,"gid":1000,"size":4,"mtime":[1392398319,0],"user":"david","group":"david","md5":"b0061974914468de549a2af8ced10316","raw":929}',
  ],
  star: [
    '{"type":"0","name":"small.txt","mode":416,"uid":73025,"gid":5000,"size":5,"mtime":[1244592783,0],"atime":[1244592783,0],"ctime":[1244592783,0],"user":"dsymonds","group":"eng","md5":"e38b27eaccb4391bdec553a7f3ae6b2f","raw":512}',
    '{"type":"0","name":"small2.txt","mode":416,"uid":73025,"gid":5000,"size":11,"mtime":[1244592783,0],"atime":[1244592783,0],"ctime":[1244592783,0],"user":"dsymonds","group":"eng","md5":"c65bd2e50a56a2138bf1716f2fd56fe9","raw":1019}',
  ],
  'trailing-slash': [
    '{"type":"5","name":"123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/","raw":1536}',
  ],
  'ustar-file-devs': ['{"type":"0","name":"file","mode":420,"device":[1,1],"raw":512}'],
  'ustar-file-reg': [
    '{"type":"0","name":"foo","mode":416,"uid":319973,"gid":5000,"size":684,"mtime":[1442282516,0],"user":"joetsai","group":"eng","md5":"b7e35f6a7d28199f9bab352b6692ad39","raw":512}',
  ],
  ustar: [
    '{"type":"0","name":"longname/longname/longname/longname/longname/longname/longname/longname/longname/longname/longname/longname/longname/longname/longname/file.txt","mode":420,"uid":501,"gid":20,"size":6,"mtime":[1360135598,0],"user":"shane","group":"staff","md5":"b1946ac92492d2347c6235b4d2611184","raw":512}',
  ],
  v7: [
    '{"type":"0","name":"small.txt","mode":292,"uid":73025,"gid":5000,"size":5,"mtime":[1244593104,0],"md5":"e38b27eaccb4391bdec553a7f3ae6b2f","raw":512}',
    '{"type":"0","name":"small2.txt","mode":292,"uid":73025,"gid":5000,"size":11,"mtime":[1244593104,0],"md5":"c65bd2e50a56a2138bf1716f2fd56fe9","raw":1019}',
  ],
  'writer-big-long': [
    '{"type":"0","name":"longname/longname/longname/longname/longname/longname/longname/longname/longname/longname/longname/longname/longname/longname/longname/16gig.txt","mode":420,"uid":1000,"gid":1000,"size":17179869184,"mtime":[1399583047,0],"user":"guillaume","group":"guillaume","raw":1536}',
  ],
  'writer-big': [
    '{"type":"0","name":"tmp/16gig.txt","mode":416,"uid":73025,"gid":5000,"size":17179869184,"mtime":[1254699560,0],"user":"dsymonds","group":"eng","raw":512}',
  ],
  writer: [
    '{"type":"0","name":"small.txt","mode":416,"uid":73025,"gid":5000,"size":5,"mtime":[1246508266,0],"user":"dsymonds","group":"eng","md5":"e38b27eaccb4391bdec553a7f3ae6b2f","raw":512}',
    '{"type":"0","name":"small2.txt","mode":416,"uid":73025,"gid":5000,"size":11,"mtime":[1245217492,0],"user":"dsymonds","group":"eng","md5":"c65bd2e50a56a2138bf1716f2fd56fe9","raw":1019}',
    '{"type":"2","name":"link.txt","link":"small.txt","mode":511,"uid":1000,"gid":1000,"mtime":[1314603082,0],"user":"strings","group":"strings","raw":1013}',
  ],
  xattrs: [
    '{"type":"0","name":"small.txt","mode":420,"uid":1000,"gid":10,"size":5,"mtime":[1386065770,448252320],"atime":[1389782991,419875220],"ctime":[1389782956,794414986],"user":"alex","group":"wheel","xattrs":[["security.selinux","unconfined_u:object_r:default_t:s0\\u0000"],["user.key","value"],["user.key2","value2"]],"md5":"e38b27eaccb4391bdec553a7f3ae6b2f","raw":1536}',
    '{"type":"0","name":"small2.txt","mode":420,"uid":1000,"gid":10,"size":11,"mtime":[1386065770,449252304],"atime":[1389782991,419875220],"ctime":[1386065770,449252304],"user":"alex","group":"wheel","xattrs":[["security.selinux","unconfined_u:object_r:default_t:s0\\u0000"]],"md5":"c65bd2e50a56a2138bf1716f2fd56fe9","raw":2043}',
  ],
};
