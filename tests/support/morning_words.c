#include <stddef.h>

#include "support/morning_words.h"

/* For the dictionary. */
static const char *const train_court[] = { "xz-yunlong", "xz-quanshan",
	"xz-tongshan", "xz-jiawang", "xz-fengxian", "xz-peixian", "nj-xuanwu",
	"sz-gusu", "cz-tianning", "wx-liangxi", NULL };
static const char *const train_officer[] = { "320311012", "320302107",
	"320305044", "wangjianguo", "zhaomin", "320382019", "320321006",
	"chenlei", "liuyang", "320324031", NULL };
static const char *const train_surname[] = { "王", "李", "张", "刘", "陈", "杨",
	"赵", "黄", "周", "吴", "徐", "孙", NULL };
static const char *const train_given[] = { "建国", "志强", "秀英", "丽娟", "伟",
	"敏", "静", "磊", "洋", "艳", "勇", "杰", "桂兰", "国庆", "玉珍",
	"海燕", NULL };
static const char *const train_street[] = { "徐州市云龙区和平路88号",
	"徐州市泉山区解放南路126号翠湖御景3号楼2单元501室", "铜山区大学路11号",
	"贾汪区泉城路建设新村7幢", "沛县正阳路汉城名居", "睢宁县中山北路",
	"邳州市运河街道青年路", "新沂市新安镇钟吾路23号", "丰县中阳大道",
	"徐州市鼓楼区中山北路254号1-2-302", NULL };
static const char *const train_object[] = { "苹果手机", "小米电视机",
	"现金人民币", "黄金项链", "银行卡", "笔记本电脑", "白色小型轿车",
	"房产证", "会计账簿", "合同文本", "茅台酒", "冰箱", "空调", "洗衣机",
	"挖掘机", "保险柜", "钻戒", "手表", NULL };
static const char *const train_sentence[] = {
	"向被执行人出示搜查令、工作证和执行公务证，告知其权利义务。",
	"被执行人在场，拒不开门，经责令仍不开启，由锁匠强制开启。",
	"现场全程录音录像，请被执行人配合法院执行工作。",
	"在主卧室床头柜内发现现金及首饰，当场清点并制作清单。",
	"被执行人称无力履行，要求给予宽限期限，合议庭不予准许。",
	"邻居和居委会工作人员到场见证，未提出异议。",
	"搜查笔录经被执行人阅读无误后签名捺印。",
	"未发现可供执行的财产，搜查结束。",
	"车辆已贴封条，钥匙由申请执行人保管，不得使用。",
	"家中有老人和未成年人，已通知其亲属到场照料。",
	"被执行人抗拒执行，推搡执行人员，经警告后停止。",
	"将被执行人带至法院接受询问，告知拒不到庭的法律后果。",
	"房屋内物品逐一登记造册，搬至指定仓库存放。",
	"被执行人当场履行部分款项，余款承诺于月底前付清。",
	"对查封的财产张贴封条和公告，责令妥善保管。",
	"经体检符合收拘条件，移送拘留所执行。", NULL
};
static const char *const train_reason[] = { "录入有误，予以更正", "核对后补充",
	"数量清点错误", "现场情况变化", "当事人提出异议，经核实", "重复登记",
	NULL };
static const char *const train_unit[] = { "执行局", "司法警察大队",
	"云龙派出所", "和平社区居民委员会", "徐州市拘留所", "保全中心",
	"泉山区人民法院", "翠湖社区", NULL };

/* For measuring. */
static const char *const other_court[] = { "xz-gulou", "xz-suining",
	"xz-pizhou", "xz-xinyi", NULL };
static const char *const other_officer[] = { "320303256", "320381077",
	"gaofeng", "maxiaolong", "320312198", NULL };
static const char *const other_surname[] = { "郑", "冯", "韩", "唐", "董", "萧",
	"程", "曹", "袁", "邓", NULL };
static const char *const other_given[] = { "子涵", "文博", "淑芬", "俊峰",
	"雪梅", "永康", "晓东", "立新", "凤霞", "振华", NULL };
static const char *const other_street[] = { "鼓楼区二环北路尚都国际B座1107",
	"经济开发区金山桥街道桃园小区19-4-602", "九里山东路老钢铁厂宿舍",
	"云东路苏宁广场西侧门面房", "城东新区祥和苑12栋",
	"矿务局家属院平房第三排", NULL };
static const char *const other_object[] = { "华为平板", "电动三轮车",
	"翡翠手镯", "股权证", "叉车", "红木沙发", "香烟", "印章", "收据本",
	"健身器械", NULL };
static const char *const other_sentence[] = {
	"到达后多次敲门无人应答，物业经理称该户昨晚亮过灯。",
	"债务人妻子开门，表示丈夫外出打工半年未归，愿意代为转告。",
	"阳台杂物间查获未申报的存折两本，余额待核。",
	"仓库大门上锁，联系到看守人后打开，里面约有二十台缝纫设备。",
	"对方情绪激动，躺在地上哭闹，法警劝导约一刻钟后平静。",
	"申请人代理律师提供线索，车停在地下车库负二层。",
	"厨房与客厅检查完毕，没有值得扣押的东西。",
	"双方商定先付三万元，其余分六期还清，写了承诺书。",
	"天黑下雨，照明用车灯，拍照可能不清楚。",
	"孩子由外婆接走，已留联系电话。", NULL
};
static const char *const other_reason[] = { "手误", "听错门牌", "后来找到发票",
	"与照片不符", NULL };
static const char *const other_unit[] = { "九里派出所", "桃园社区",
	"执行指挥中心", "矿工路街道办", NULL };

const struct morning_text morning_text[2] = {
	{ train_court, train_officer, train_surname, train_given, train_street,
	    train_object, train_sentence, train_reason, train_unit },
	{ other_court, other_officer, other_surname, other_given, other_street,
	    other_object, other_sentence, other_reason, other_unit },
};
